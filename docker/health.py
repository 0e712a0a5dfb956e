"""Exit status 0 where the process of this container answers; for Docker's HEALTHCHECK.

FACESYNTH_HEALTH names the address that a Dask scheduler or worker answers at. Without it there is
nothing to ask: a ``synth`` command is well as long as it runs.
"""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 5

url = os.environ.get("FACESYNTH_HEALTH")
if url:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            sys.exit(answer.status != 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        sys.exit(f"{url}: {error}")
