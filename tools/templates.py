"""`make templates`: fill in what lambda_src/*.yaml takes from code: columns, a hash of the API."""

from tgpipeline.deploy.templates import STAGES, filled, path


def main() -> None:
    """Fill in all templates."""
    for stage in STAGES:
        text = path(stage).read_text(encoding="utf-8")
        path(stage).write_text(filled(text), encoding="utf-8")


if __name__ == "__main__":
    main()
