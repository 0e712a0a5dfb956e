"""Open a page that shows a set: rates, failures, head poses, pictures; from its sidecars alone."""

import argparse
import webbrowser

from manifests.storage import locate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")
    parser.add_argument("--dashboard", default="127.0.0.1:8788", help="HOST:PORT of the page")
    parser.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=True, help="in a browser"
    )


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from pipelines.dashboard.serve import open_server

    server, link = open_server(locate(args.set), args.dashboard)
    print(f"{link}  (Ctrl-C ends it)", flush=True)
    if args.open:
        webbrowser.open(link)
    try:
        server.run_until_shutdown()
    except KeyboardInterrupt:
        server.stop()
    return 0
