"""The command ``synth``: finds the verb, runs it, turns errors into one line and a status.

Exit status: 0 fine, 1 problems found or too much failed, 2 wrong usage or input, 3 another run
works there, 130 interrupted, 143 terminated.
"""

import argparse
import difflib
import importlib
import logging
import re
import signal
import sys
import threading
from collections.abc import Sequence

from faces.errors import BadInput, MissingExtra
from manifests.secrets import without_secrets
from manifests.shard import BadShard
from manifests.storage import BadLocation
from pipelines.folders.lock import Locked

# Verb -> (module, what it does). A module has add_arguments(parser) and run(args) -> exit status;
# it is imported only when its verb is called.
VERBS = {
    "fg3d": ("pipelines.verbs.fg3d", "make a set: scans, registration, rotated views"),
    "render": ("pipelines.verbs.render", "faces at controlled poses, with every label"),
    "subjects": ("pipelines.verbs.subjects", "make virtual people before a simulated camera"),
    "model": ("pipelines.verbs.model", "import a face model, or say what one holds"),
    "status": ("pipelines.verbs.status", "how far a set is, and what failed"),
    "dashboard": ("pipelines.verbs.dashboard", "a page that shows a set as it is made, or after"),
    "verify": ("pipelines.verbs.verify", "read every byte of a set and say what is wrong"),
    "audit": ("pipelines.verbs.audit", "count the head poses of a set, a table, tars or photos"),
    "merge": ("pipelines.verbs.merge", "one set of the parts that several machines made"),
    "retry": ("pipelines.verbs.retry", "run the failed inputs of a set again"),
    "report": ("pipelines.verbs.report", "the HTML report of a set, anew"),
}

_NEGATIVE_LIST = re.compile(r"-[\d.]+(,-?[\d.]+)+")
FINE, PROBLEMS, USAGE, BUSY, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``synth`` with the given words (default: those of the process)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return FINE
    if words[0] not in VERBS:
        return _fail(_unknown(words[0]))
    module = importlib.import_module(VERBS[words[0]][0])
    parser = argparse.ArgumentParser(prog=f"synth {words[0]}", description=module.__doc__)
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="full log, and errors with traceback")
    try:
        args = parser.parse_args(_joined(words[1:]))
    except SystemExit as stop:  # argparse has printed help, or what is wrong
        return int(stop.code or FINE)
    return _guarded(module, args)


def usage() -> str:
    """The help text without a verb."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {about}" for verb, (_, about) in VERBS.items()]
    return "\n".join(["usage: synth VERB ... (synth VERB --help for its options)", "", *lines])


def _joined(words: Sequence[str]) -> list[str]:
    """Words in which ``--flag -20,20`` is one: argparse takes a list that begins with a minus for
    another flag."""
    joined: list[str] = []
    for word in words:
        after_flag = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if after_flag and _NEGATIVE_LIST.fullmatch(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _guarded(module, args: argparse.Namespace) -> int:
    """Run a verb; the user's errors become one line."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Discreet("%(message)s"))
    level = logging.DEBUG if args.debug else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for package in ("pipelines", "manifests"):
        logging.getLogger(package).setLevel(logging.DEBUG if args.debug else logging.INFO)
    _end_in_order_when_terminated()
    try:
        return module.run(args)
    except KeyboardInterrupt:
        _fail("interrupted; nothing committed is lost: run the same command to go on")
        return INTERRUPTED
    except (BadInput, MissingExtra, BadLocation) as error:
        if args.debug:
            raise
        return _fail(str(error))
    except Locked as error:
        _fail(str(error))
        return BUSY
    except (BadShard, OSError) as error:
        if args.debug:
            raise
        _fail(str(error))
        return PROBLEMS


def _end_in_order_when_terminated() -> None:
    """SIGTERM, of a batch system that wants its machine back, leaves no lock and no workers."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))


def _unknown(verb: str) -> str:
    close = difflib.get_close_matches(verb, VERBS, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"expected one of {', '.join(VERBS)}"
    return f"unknown verb '{verb}'; {hint}"


class _Discreet(logging.Formatter):
    """Log lines, tracebacks included, without the secrets of URLs."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def _fail(message: str) -> int:
    print(f"synth: {without_secrets(message)}", file=sys.stderr)
    return USAGE
