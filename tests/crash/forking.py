"""Forks a ``leadwright`` with everything imported for each line that it reads, with the arguments that it was given.

Starting Python and importing costs seconds of processor, a fork milliseconds; what is forked is a process like others.
Says when that is done, then which process has begun, which speaks for itself on the same standard output, and when it
is gone.
"""

import os
import sys

from leadwright.cli import main, process, work

if __name__ == "__main__":
    assert process
    assert work
    sys.argv[0] = "leadwright"
    print("loaded", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            print("begun", os.getpid(), flush=True)
            try:
                main.run()
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        print("gone", flush=True)
