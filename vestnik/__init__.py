"""The program: command line, settings, wiring, the pipeline, the web server."""

__version__ = "0.1.0"
