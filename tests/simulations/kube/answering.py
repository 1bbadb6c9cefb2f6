"""An extender that answers over HTTP and remembers what it said, for as long as one recording.

Who decides is passed in: a rule by hash; our own extender is recorded in `live`. It must not know
the model, and it serves one scheduler that asks about one pod at a time.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

from tests.simulations.kube.recording import Answer
from tests.simulations.kube.workload import drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ByHash", "Decider", "RecordingExtender", "recording_extender"]

Object = dict[str, Any]


class Decider(Protocol):
    """Whoever knows the answers."""

    def keep(self, pod: Object, names: Sequence[str]) -> list[str]:
        """The nodes that the pod may go to."""
        ...

    def scores(self, pod: Object, names: Sequence[str]) -> Mapping[str, int]:
        """From 0 to 10."""
        ...

    def refusal(self, pod: Object) -> str:
        """Why the other nodes are refused."""
        ...


class ByHash:
    """Refuses one node in nine and scores at random, always the same for a pod and a node."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def keep(self, pod: Object, names: Sequence[str]) -> list[str]:
        """Eight of nine, by hash."""
        own = pod["metadata"]["name"]
        return [name for name in names if drawn(9, self._seed, "keep", own, name)]

    def scores(self, pod: Object, names: Sequence[str]) -> Mapping[str, int]:
        """0 to 10 by hash; one node in eleven is not named at all."""
        own = pod["metadata"]["name"]
        drawn_scores = {name: drawn(11, self._seed, "score", own, name) for name in names}
        return {name: score for name, score in drawn_scores.items() if drawn(11, own, name)}

    def refusal(self, _pod: Object) -> str:
        """The same for every node and pod."""
        return "by hash"


class RecordingExtender:
    """Answers and remembers."""

    def __init__(self, decider: Decider, port: int) -> None:
        self._decider = decider
        self._port = port
        self._kept: dict[str, tuple[str, ...]] = {}
        self._scores: dict[str, Mapping[str, int]] = {}

    def entries(self, weight: int) -> list[Object]:
        """The line for `extenders` in a scheduler's configuration."""
        return [
            {
                "urlPrefix": f"http://127.0.0.1:{self._port}",
                "filterVerb": "filter",
                "prioritizeVerb": "prioritize",
                "weight": weight,
                "nodeCacheCapable": True,
                "httpTimeout": "30s",
            }
        ]

    def take(self, pod: str) -> Answer:
        """What was said about a pod; a later answer about it replaces an earlier one."""
        kept, scores = self._kept.pop(pod, None), self._scores.pop(pod, None)
        return Answer(kept, scores)

    def answer(self, verb: str, asked: Object) -> object:
        """The body of the reply to one request."""
        pod, names = asked["Pod"], asked["NodeNames"]
        full = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if verb == "filter":
            kept = self._decider.keep(pod, names)
            self._kept[full] = tuple(kept)
            refused = dict.fromkeys(set(names) - set(kept), self._decider.refusal(pod))
            return {"NodeNames": kept, "FailedAndUnresolvableNodes": refused}
        scores = self._scores[full] = self._decider.scores(pod, names)
        return [{"Host": name, "Score": score} for name, score in scores.items()]


@contextmanager
def recording_extender(decider: Decider) -> Iterator[RecordingExtender]:
    """One that listens on a free port until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(extender.answer(self.path.strip("/"), asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing: the recording tells it all."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    extender = RecordingExtender(decider, server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield extender
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
