"""What the lake holds of a person, handed out as they may ask for it: one zip of readable files."""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

from tgpipeline.errors import LakeError
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake.erasing import FOREVER, hashed_names
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import SENTENCES, Buckets, documents_in, guarded, lake_day
from tgpipeline.privacy.plan import Request
from tgpipeline.privacy.removing import Remover
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import sub

_json = json.JSONEncoder(ensure_ascii=False, default=str).encode
_FILES = ("own.ndjson", "mentions.ndjson", "tables.ndjson", "quarantine.txt")


def export(settings: Settings, user_id: int, path: Path, s3: Any = None) -> dict[str, int]:
    """Write what the lake holds of a person into a zip.

    Args:
        settings: names both buckets; their `pseudonym_key`, where the tables are pseudonymous.
        user_id: of the person.
        path: of the zip.
        s3: a boto3 S3 client; made from the settings where it is None.

    Returns:
        How many lines each of its files has.

    Raises:
        SettingsError: if the id is a chat's.
        LakeError: if the lake cannot be read, or holds nothing of that person.
    """
    files: dict[str, list[Any]] = {name: [] for name in _FILES}
    own, mentions, rows, quarantine = files.values()
    with guarded(settings):
        buckets, request = Buckets(settings, s3), Request(user_id, FOREVER)
        pseudonyms, words = Pseudonyms(settings.pseudonym_key), hashed_names(b"", [str(user_id)])
        remover = Remover(request, pseudonyms, b"", words)
        find = remover.erased.find
        for one, found in buckets.bodies(buckets.current(buckets.raw, buckets.enriched)):
            day = lake_day(one.key)
            if day and one.bucket == buckets.enriched:
                table = search.table_in(found.body)
                told = table.to_pylist() if table else []
                rows += [row for row in told if remover.row(row, day) is None]
            elif day:
                for document in documents_in(one.key, found.body):
                    rest = remover.update(document, day)
                    if rest is None and not document.update:
                        quarantine.append(one.key)
                    elif rest is None:
                        own.append(document.body.decode("utf-8", "replace").replace("\n", " "))
                    elif rest is not document.body and document.update:
                        mentions.append(_which(one.key, document.update, document.kind))
            elif one.bucket == buckets.raw and search.holds(found.body, find, found.told):
                quarantine.append(one.key)
    if not any(files.values()):
        raise LakeError(SENTENCES["nothing"].format(user_id, settings, "written"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        readme = SENTENCES["readme"].format(user_id=user_id, bucket=settings.raw_bucket)
        archive.writestr("README.txt", readme)
        for name, lines in files.items():
            text = "".join(f"{one if type(one) is str else _json(one)}\n" for one in lines)
            archive.writestr(name, text.encode("utf-8", "replace"))
    return {name: len(lines) for name, lines in files.items()}


def _which(key: str, update: dict[str, Any], kind: str) -> dict[str, Any]:
    """Which update of somebody else it is, without what they wrote."""
    content = update[kind]
    chat, message_id = sub(content, "chat").get("id"), content.get("message_id")
    return {"object": key, "kind": kind, "chat_id": chat, "message_id": message_id}


def command(arguments: argparse.Namespace, settings: Settings) -> None:
    """What `tgpipeline export` does."""
    counts = export(settings, arguments.user, Path(arguments.output))
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    print(SENTENCES["exported"].format(arguments.output, told))
