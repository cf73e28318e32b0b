"""Made-up enterprises for benchmarks, demonstrations and training; never mistaken for real ones."""

from registry.synthetic.tables import write_directory, write_stream

__all__ = ["write_directory", "write_stream"]
