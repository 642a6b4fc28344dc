"""``python -m vestnik`` is the same as ``vestnik``."""

from vestnik.cli import main

if __name__ == "__main__":
    main()
