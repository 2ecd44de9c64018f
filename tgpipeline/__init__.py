"""tgpipeline: a Telegram group's messages, from a bot's webhook to answers."""

__version__ = "0.1.0"

# What users import from here, and where it is. It is fetched when it is first asked for, because
# the functions on AWS carry this file, too, but not all that it names.
_FACE = {
    "Bot": "tgpipeline.telegram.bot",
    "Settings": "tgpipeline.settings",
    "TgPipelineError": "tgpipeline.errors",
    "import_export": "tgpipeline.history",
    "query": "tgpipeline.analytics.athena",
    "read_export": "tgpipeline.analytics.from_export",
    "rows_of": "tgpipeline.lake.versions",
    "secret": "tgpipeline.secrets",
    "store_sent": "tgpipeline.ingest",
    "store_update": "tgpipeline.ingest",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_FACE]
