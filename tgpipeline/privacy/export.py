"""What the lake holds of a person, handed out as they may ask for it: one zip of readable files."""

import argparse
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import keys
from tgpipeline.lake.erasing import Person
from tgpipeline.privacy import search
from tgpipeline.privacy.survey import Lake, Request, day_of, documents_in, refusals_explained
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import sub

_WHO = ("from_id", "author_id", "target_user_id")
_README = """What is stored of user {user_id} ({bucket}).

own.ndjson        updates that are yours, as Telegram sent them: messages, reactions, joins.
mentions.ndjson   which updates of others name you by id, such as replies to you. What
                  others wrote is theirs, and is not here.
tables.ndjson     your rows in the tables that are made of these updates.
quarantine.txt    objects that could not be read and hold your id: ask for them by these names.
"""


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
    if user_id <= 0:
        raise SettingsError(f"--user {user_id} is a chat's id: those of people are positive.")
    lake, own, mentions, rows, quarantine = Lake(settings, s3), [], [], [], []
    with refusals_explained(settings):
        wanted = search.pattern([str(user_id)])
        person = Person(Request(user_id, int(time.time()) + 1).is_person)
        for key, body in lake.read(settings.raw_bucket, lake.current(settings.raw_bucket)):
            if not key.startswith(f"{keys.RAW}/"):
                quarantine += [key] if search.holds(body, wanted, key) else []
                continue
            for document in documents_in(key, body):
                if document.update is None:
                    quarantine += [key] if search.holds(document.body, wanted) else []
                    continue
                rest = person.without(document.update, document.kind)
                if rest is None:
                    own.append(document.update)
                elif rest is not document.update:
                    mentions.append(_which(key, document.update, document.kind))
        user = Pseudonyms(settings.pseudonym_key).id(user_id)
        for key, body in lake.read(
            settings.enriched_bucket, lake.current(settings.enriched_bucket)
        ):
            if day_of(key):
                table = pq.ParquetFile(io.BytesIO(body)).read().to_pylist()
                rows += [row for row in table if user in map(row.get, _WHO)]
    files = {"own.ndjson": own, "mentions.ndjson": mentions, "tables.ndjson": rows}
    if not any(files.values()) and not quarantine:
        raise LakeError(
            f"nothing of user {user_id} is in s3://{settings.raw_bucket} or "
            f"s3://{settings.enriched_bucket}; no file was written."
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README.format(user_id=user_id, bucket=settings.raw_bucket))
        for name, lines in files.items():
            told = (json.dumps(line, ensure_ascii=False, default=str) for line in lines)
            archive.writestr(name, "".join(f"{line}\n" for line in told).encode("utf-8", "replace"))
        archive.writestr("quarantine.txt", "".join(f"{key}\n" for key in sorted(set(quarantine))))
    return {name: len(lines) for name, lines in files.items()} | {"quarantine.txt": len(quarantine)}


def _which(key: str, update: dict[str, Any], kind: str) -> dict[str, Any]:
    """Which update of somebody else it is, without what they wrote."""
    content = update[kind]
    chat, message_id = sub(content, "chat").get("id"), content.get("message_id")
    return {"object": key, "kind": kind, "chat_id": chat, "message_id": message_id}


def command(arguments: argparse.Namespace, settings: Settings) -> int:
    """What `tgpipeline export` does; returns its exit code."""
    counts = export(settings, arguments.user, Path(arguments.output))
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    print(f"{arguments.output}: {told}. It holds personal data: hand it to that person alone.")
    return 0
