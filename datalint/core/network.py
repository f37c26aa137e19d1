"""Which machines an address leads to."""

from __future__ import annotations

import ipaddress
import socket


def is_private(host: str, port: int | None = None) -> bool:
    """Whether a host resolves to an address of a private network, of this machine or of its neighbours.

    Raises:
        OSError: it cannot be resolved.
    """
    found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    return any(not ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_global for address in found)
