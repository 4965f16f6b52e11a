"""What torchrun starts in each process."""

from llmcourse.cli import app

if __name__ == "__main__":
    app()
