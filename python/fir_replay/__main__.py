"""``python <this directory> <mark> <parent pid>``: answers the requests on descriptor 3 on descriptor 4."""

import sys


def _clean_path() -> str:
    """Takes the working directory and this one off ``sys.path``, before anything is imported: a file there may have
    any name. Returns the directory of this package.
    """
    # Built in: it comes from no file.
    from posix import getcwd

    try:
        here = getcwd()
    except OSError:
        here = ""
    sys.path[:] = [place for place in sys.path if place.startswith("/") and place != here]
    from os.path import abspath, dirname, realpath

    own = dirname(abspath(__file__))
    package = dirname(own)
    unwanted = {realpath(place) for place in (here or "/", own, package)}
    sys.path[:] = [place for place in sys.path if realpath(place) not in unwanted]
    return package


def _load_worker(package: str):
    """Imports the package by its name, so that its modules are in nobody's way, and without leaving compiled files."""
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, package)
    from fir_replay import worker

    del sys.path[0]
    sys.dont_write_bytecode = writes_bytecode
    return worker


if __name__ == "__main__":
    _load_worker(_clean_path()).main(sys.argv[1:])
