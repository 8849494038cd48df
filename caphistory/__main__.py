"""``python -m caphistory`` is ``caphistory``."""

from caphistory.cli import main

if __name__ == "__main__":
    main()
