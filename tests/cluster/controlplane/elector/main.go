// Command elector is client-go's own leader election on one Lease, as a peer for our elections.
//
// It decides nothing itself: it hands its flags to client-go's leaderelection package and prints
// one JSON line for each thing that package tells it. On SIGTERM or SIGINT it releases the lease
// and leaves with 0; a lost lease ends it with 1, as client-go asks of every elector.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// line is what is printed for each event; leader is set for "new leader" alone.
type line struct {
	Event    string    `json:"event"`
	Identity string    `json:"identity"`
	Leader   string    `json:"leader,omitempty"`
	At       time.Time `json:"at"`
}

type teller struct {
	identity string
	mutex    sync.Mutex
}

func (t *teller) tell(event, leader string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	told := line{Event: event, Identity: t.identity, Leader: leader, At: time.Now().UTC()}
	_ = json.NewEncoder(os.Stdout).Encode(told)
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "file that says which API server, and as whom")
	namespace := flag.String("namespace", "default", "namespace of the Lease")
	name := flag.String("name", "", "name of the Lease")
	identity := flag.String("identity", "", "holderIdentity of this elector")
	leaseDuration := flag.Duration("lease-duration", 15*time.Second, "how long others wait")
	renewDeadline := flag.Duration("renew-deadline", 10*time.Second, "how long a renewal may fail")
	retryPeriod := flag.Duration("retry-period", 2*time.Second, "between two attempts")
	flag.Parse()
	if *name == "" || *identity == "" {
		return fmt.Errorf("-name and -identity are needed")
	}

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	teller := &teller{identity: *identity}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: *name,
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: *namespace, Name: *name},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: *identity},
		},
		LeaseDuration:   *leaseDuration,
		RenewDeadline:   *renewDeadline,
		RetryPeriod:     *retryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { teller.tell("started leading", "") },
			OnStoppedLeading: func() { teller.tell("stopped leading", "") },
			OnNewLeader:      func(leader string) { teller.tell("new leader", leader) },
		},
	})
	if err != nil {
		return fmt.Errorf("elector: %w", err)
	}
	elector.Run(ctx)
	if ctx.Err() == nil {
		return fmt.Errorf("the lease was lost")
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "elector:", err)
		os.Exit(1)
	}
}
