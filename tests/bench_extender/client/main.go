// Command extender-client asks an extender as kube-scheduler does, and says how long each call took.
//
// It exists because a scheduler is a Go program: what it waits for is a round trip of net/http with
// keep-alive and a client certificate. It reads pods, one a line, asks filter with all names and
// prioritize with those that are left, and writes one line a call. It must not judge an answer.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand"
	"net/http"
	"os"
	"time"
)

// The wire of k8s.io/kube-scheduler/extender/v1, which has no JSON tags.
type extenderArgs struct {
	Pod       json.RawMessage
	Nodes     *struct{}
	NodeNames *[]string
}

type extenderFilterResult struct {
	NodeNames                  *[]string
	FailedAndUnresolvableNodes map[string]string
	Error                      string
}

type hostPriority struct {
	Host  string
	Score int64
}

// A line of standard input.
type turn struct {
	Kind  string
	Entry string
	Pod   json.RawMessage
}

// A line of standard output. JSON is what marshalling and unmarshalling cost the scheduler itself.
type call struct {
	Kind        string `json:"kind"`
	Verb        string `json:"verb"`
	RoundTripNs int64  `json:"round_trip_ns"`
	JSONNs      int64  `json:"json_ns"`
	SentBytes   int    `json:"sent_bytes"`
	GotBytes    int    `json:"got_bytes"`
	Names       int    `json:"names"`
	// What the host says of itself, with the first and the last call of a kind.
	Host json.RawMessage `json:"host,omitempty"`
}

type client struct {
	http *http.Client
	url  string
}

func main() {
	log.SetFlags(0)
	url := flag.String("url", "", "where the extender is")
	ca := flag.String("ca", "", "PEM file of its authority")
	certificate := flag.String("certificate", "", "PEM file of our certificate")
	key := flag.String("key", "", "PEM file of its key")
	namesFile := flag.String("names", "", "JSON file: the names of all nodes")
	flag.Parse()
	names := []string{}
	if err := json.Unmarshal(must(os.ReadFile(*namesFile)), &names); err != nil {
		log.Fatal(err)
	}
	asking := client{&http.Client{Transport: transport(*ca, *certificate, *key), Timeout: time.Minute}, *url}
	if err := asking.all(os.Stdin, os.Stdout, names); err != nil {
		log.Fatal(err)
	}
}

// As kube-scheduler makes it for an extender: a transport of its own, with the default limits.
func transport(ca, certificate, key string) *http.Transport {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(must(os.ReadFile(ca))) {
		log.Fatalf("%s: no certificate in it", ca)
	}
	pair := must(tls.LoadX509KeyPair(certificate, key))
	return &http.Transport{
		TLSClientConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			RootCAs:      roots,
			Certificates: []tls.Certificate{pair},
			ServerName:   "localhost",
		},
	}
}

func (c client) all(in io.Reader, out io.Writer, names []string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	buffered := bufio.NewWriter(out)
	defer buffered.Flush()
	write := json.NewEncoder(buffered)
	last := ""
	for lines.Scan() {
		var next turn
		if err := json.Unmarshal(lines.Bytes(), &next); err != nil {
			return err
		}
		if next.Kind != last {
			if err := c.tell(write, last); err != nil {
				return err
			}
			if err := c.tell(write, next.Kind); err != nil {
				return err
			}
			last = next.Kind
		}
		if err := c.turn(write, next, names); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return c.tell(write, last)
}

// One pod: filter over all names, then prioritize over those that are left, if there are two.
func (c client) turn(write *json.Encoder, next turn, names []string) error {
	shuffle(names)
	var kept extenderFilterResult
	did, err := c.ask(next, "filter", names, &kept)
	if err != nil {
		return err
	}
	if kept.Error != "" {
		return fmt.Errorf("filter: %s", kept.Error)
	}
	if err := write.Encode(did); err != nil || kept.NodeNames == nil || len(*kept.NodeNames) < 2 {
		return err
	}
	var ranked []hostPriority
	did, err = c.ask(next, "prioritize", *kept.NodeNames, &ranked)
	if err != nil {
		return err
	}
	return write.Encode(did)
}

// kube-scheduler filters by sixteen workers that take chunks of the root of n nodes and append what
// they find, so no two calls name the nodes in one order.
func shuffle(names []string) {
	length := int(math.Sqrt(float64(len(names))))
	chunks := make([][]string, 0, length+1)
	for rest := names; len(rest) > 0; {
		end := min(length, len(rest))
		chunks, rest = append(chunks, append([]string(nil), rest[:end]...)), rest[end:]
	}
	rand.Shuffle(len(chunks), func(i, j int) { chunks[i], chunks[j] = chunks[j], chunks[i] })
	rest := names[:0]
	for _, chunk := range chunks {
		rest = append(rest, chunk...)
	}
}

func (c client) ask(next turn, verb string, names []string, result any) (call, error) {
	did := call{Kind: next.Kind, Verb: verb, Names: len(names)}
	begun := time.Now()
	sent, err := json.Marshal(extenderArgs{Pod: next.Pod, NodeNames: &names})
	if err != nil {
		return did, err
	}
	asked := time.Now()
	got, err := c.post("/"+next.Entry+"/"+verb, sent)
	if err != nil {
		return did, err
	}
	answered := time.Now()
	if err := json.Unmarshal(got, result); err != nil {
		return did, err
	}
	did.RoundTripNs = answered.Sub(asked).Nanoseconds()
	did.JSONNs = asked.Sub(begun).Nanoseconds() + time.Since(answered).Nanoseconds()
	did.SentBytes, did.GotBytes = len(sent), len(got)
	return did, nil
}

func (c client) post(path string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.read(request)
}

func (c client) read(request *http.Request) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", request.URL, response.Status, got)
	}
	return got, nil
}

// Ask the host what it has spent so far, at the edges of each kind.
func (c client) tell(write *json.Encoder, kind string) error {
	if kind == "" {
		return nil
	}
	request, err := http.NewRequest(http.MethodGet, c.url+"/spent", nil)
	if err != nil {
		return err
	}
	got, err := c.read(request)
	if err != nil {
		return err
	}
	return write.Encode(call{Kind: kind, Verb: "spent", Host: got})
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
