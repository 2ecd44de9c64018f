"""What the lake holds of a person, handed out as they may ask for it: one zip of readable files."""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

from tgpipeline.errors import LakeError
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake.erasing import FOREVER, hashed_names
from tgpipeline.privacy.buckets import SENTENCES, Buckets, guarded, holds, table_in
from tgpipeline.privacy.person import Remover, Request, documents_in, lake_day
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import sub

_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


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
    names = ("own.ndjson", "mentions.ndjson", "tables.ndjson", "quarantine.txt")
    own, mentions, rows, quarantine = lists = [list[str]() for _ in names]
    with guarded(settings):
        buckets, pseudonyms = Buckets(settings, s3), Pseudonyms(settings.pseudonym_key)
        words = hashed_names(b"", [str(user_id)])
        erased = Request(user_id, FOREVER).erased(b"", words, pseudonyms)
        remover = Remover(erased)
        for one, found in buckets.bodies(buckets.current()):
            day, table = lake_day(one.key), table_in(found.body)
            if day and table is not None:
                rows += [_json(row) for row in table.to_pylist() if not remover.row(row, day)]
            elif day:
                for document in documents_in(one.key, found.body):
                    rest, update = remover.update(document, day), document.update
                    if rest is None and not update:
                        quarantine.append(one.key)
                    elif rest is None:
                        own.append(document.body.decode("utf-8", "replace").replace("\n", " "))
                    elif rest is not document.body and update:  # which, without what they wrote
                        chat, content = sub(update, document.kind, "chat"), update[document.kind]
                        ids = {"chat_id": chat.get("id"), "message_id": content.get("message_id")}
                        mentions.append(_json({"object": one.key, "kind": document.kind} | ids))
            elif one.bucket == buckets.raw and holds(found.body, erased, found.told):
                quarantine.append(one.key)
    if not any(lists):
        raise LakeError(SENTENCES["nothing"].format(user_id, settings, "written"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", SENTENCES["readme"].format(user_id, settings.raw_bucket))
        for name, lines in zip(names, lists, strict=True):
            archive.writestr(name, "".join(f"{o}\n" for o in lines).encode("utf-8", "replace"))
    return dict(zip(names, map(len, lists), strict=True))


def command(arguments: argparse.Namespace, settings: Settings) -> None:
    """What `tgpipeline export` does."""
    counts = export(settings, arguments.user, Path(arguments.output))
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    print(SENTENCES["exported"].format(arguments.output, told))
