"""Where a webhook's updates go, and which URLs Telegram would take for it."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = (443, 80, 88, 8443)


@dataclass(frozen=True)
class Target:
    """Where a webhook's updates go, as setWebhook said.

    Attributes:
        url: the receiver's.
        secret: sent in `X-Telegram-Bot-Api-Secret-Token`.
        max_connections: how many updates may be delivered at once.
        certificate: PEM, for a receiver whose certificate is self-signed; or empty.
        ip_address: where to connect instead of what the URL's host means; or empty.
    """

    url: str
    secret: str = ""
    max_connections: int = 40
    certificate: bytes = b""
    ip_address: str = ""


def url_error(url: str) -> str | None:
    """Why a URL cannot be a webhook's, in the Bot API's words; None if it can.

    Unlike Telegram, plain http and any port are taken, but only for this machine.
    """
    try:
        address, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return "invalid webhook URL specified"
    if address.hostname and is_loopback(address.hostname) and address.scheme in ("http", "https"):
        return None
    if address.scheme != "https" or not address.hostname:
        return "An HTTPS URL must be provided for webhook"
    if (port or 443) not in PORTS:
        return "Webhook can be set up only on ports 80, 88, 443 or 8443"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine. Names under .localhost are (RFC 6761)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(host: str) -> str:
    """Where to connect for a host: a name under localhost is not looked up."""
    return "127.0.0.1" if host.endswith("localhost") else host
