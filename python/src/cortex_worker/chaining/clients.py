"""The hooks of the HTTP clients: each adds what is to be told to calls of APIs, and lets no proxy come between."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.chaining.place import is_api

if TYPE_CHECKING:
    from cortex_worker.chaining.call import Calls
    from cortex_worker.chaining.imports import Hook


def hooks(calls: Calls) -> dict[str, Hook]:
    """The hooks by the modules that they are for."""
    by_module: dict[str, Callable[..., None]] = {
        "http.client": hook_http_client,
        "urllib.request": hook_urllib,
        "requests.utils": hook_requests,
        "httpx": hook_httpx,
        "aiohttp.client": hook_aiohttp,
        "aiohttp.resolver": hook_aiohttp_resolver,
        "anyio": hook_anyio,
    }
    return {name: partial(hook, calls=calls) for name, hook in by_module.items()}


def _put(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put a wrapped function in the place of the one that is there; not twice, where a module is loaded again."""
    original = getattr(owner, name)
    if hasattr(original, "is_cortex_hook"):
        return
    wrapped: Any = wraps(original)(wrap(original))
    wrapped.is_cortex_hook = True
    setattr(owner, name, wrapped)


def hook_http_client(module: Any, calls: Calls) -> None:
    """For `urllib.request` and urllib3 too, and with it for requests and boto3: all of them end their headers here."""

    def wrap(original: Any) -> Any:
        def endheaders(connection: Any, *arguments: Any, **options: Any) -> Any:
            try:
                # The lines as they will be sent; the first is the request's.
                lines = connection._buffer[1:]
                for name, value in calls.headers(connection.host, connection.port, lambda: _names_of(lines)):
                    connection.putheader(name, value)
            except Exception:
                pass
            return original(connection, *arguments, **options)

        return endheaders

    _put(module.HTTPConnection, "endheaders", wrap)


def _names_of(lines: list[bytes]) -> set[str]:
    return {line.partition(b":")[0].decode("latin-1").lower() for line in lines}


def hook_urllib(module: Any, calls: Calls) -> None:
    """Proxies of the environment know nothing of the names."""

    def wrap(original: Any) -> Any:
        def bypass(host: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(host, str) and calls.place.is_reached_by(*host.rpartition(":")[::2]):
                return True
            return original(host, *arguments, **options)

        return bypass

    _put(module, "proxy_bypass", wrap)


def hook_requests(module: Any, calls: Calls) -> None:
    """As for `urllib`."""

    def wrap(original: Any) -> Any:
        def should_bypass_proxies(url: Any, *arguments: Any, **options: Any) -> Any:
            try:
                from urllib.parse import urlsplit

                parts = urlsplit(url)
                if calls.place.is_reached_by(parts.hostname, parts.port):
                    return True
            except Exception:
                pass
            return original(url, *arguments, **options)

        return should_bypass_proxies

    _put(module, "should_bypass_proxies", wrap)


def hook_httpx(module: Any, calls: Calls) -> None:
    """At the transports, which see each request as it is sent, and each redirect as one of its own."""

    def add(request: Any) -> list[str]:
        try:
            added = calls.headers(request.url.host, request.url.port, lambda: request.headers)
            for name, value in added:
                request.headers[name] = value
            return [name for name, _ in added]
        except Exception:
            return []

    def remove(request: Any, names: list[str]) -> None:
        # The request is the user's, who may send it again, and elsewhere.
        for name in names:
            request.headers.pop(name, None)

    def wrap(original: Any) -> Any:
        def handle_request(transport: Any, request: Any) -> Any:
            names = add(request)
            try:
                return original(transport, request)
            finally:
                remove(request, names)

        return handle_request

    def wrap_async(original: Any) -> Any:
        async def handle_async_request(transport: Any, request: Any) -> Any:
            names = add(request)
            try:
                return await original(transport, request)
            finally:
                remove(request, names)

        return handle_async_request

    def wrap_choice(original: Any) -> Any:
        def transport_for_url(client: Any, url: Any) -> Any:
            chosen = original(client, url)
            usual = (module.HTTPTransport, module.AsyncHTTPTransport)
            # One of another kind is no proxy, but what the user has made for just this.
            if calls.place.is_reached_by(url.host, url.port) and isinstance(chosen, usual):
                return client._transport
            return chosen

        return transport_for_url

    _put(module.HTTPTransport, "handle_request", wrap)
    _put(module.AsyncHTTPTransport, "handle_async_request", wrap_async)
    for client in (module.Client, module.AsyncClient):
        _put(client, "_transport_for_url", wrap_choice)


def hook_aiohttp(module: Any, calls: Calls) -> None:
    """By the library's own tracing: `on_request_start` may change the headers (its reference says so)."""

    async def add(_session: Any, _context: Any, request: Any) -> None:
        try:
            headers = request.headers
            url = request.url
            for name, value in calls.headers(url.host, url.port, lambda: {given.lower() for given in headers}):
                headers[name] = value
        except Exception:
            pass

    def wrap(original: Any) -> Any:
        def init(session: Any, *arguments: Any, **options: Any) -> None:
            try:
                trace = module.TraceConfig()
                trace.on_request_start.append(add)
                given = {**options, "trace_configs": [*(options.get("trace_configs") or ()), trace]}
            except Exception:
                given = options
            original(session, *arguments, **given)

        return init

    _put(module.ClientSession, "__init__", wrap)


def hook_aiohttp_resolver(module: Any, calls: Calls) -> None:
    """`aiodns` asks the name servers by itself, and so does the loop of `uvloop`."""
    by_loop = module.ThreadedResolver.resolve

    def wrap(original: Any) -> Any:
        async def resolve(resolver: Any, host: str, port: int = 0, *arguments: Any, **options: Any) -> Any:
            if is_api(host, port):
                place = calls.place
                return await by_loop(module.ThreadedResolver(), place.host, place.port, *arguments, **options)
            return await original(resolver, host, port, *arguments, **options)

        return resolve

    _put(module.AsyncResolver, "resolve", wrap)
    _put(module.ThreadedResolver, "resolve", wrap)


def hook_anyio(module: Any, calls: Calls) -> None:
    """For asynchronous httpx: of what a name resolves to, anyio takes the address and leaves the port.

    And it asks the loop, which may be one of `uvloop`, that resolves names by itself.
    """

    def wrap(original: Any) -> Any:
        async def connect_tcp(remote_host: Any, remote_port: Any, *arguments: Any, **options: Any) -> Any:
            if is_api(remote_host, remote_port):
                remote_host, remote_port = calls.place.host, calls.place.port
            return await original(remote_host, remote_port, *arguments, **options)

        return connect_tcp

    _put(module, "connect_tcp", wrap)
