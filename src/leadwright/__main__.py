"""``python -m leadwright``: the same as the command ``leadwright``."""

from leadwright.cli.main import run

if __name__ == "__main__":
    run()
