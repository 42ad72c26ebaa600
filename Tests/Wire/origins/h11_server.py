"""An origin on h11."""
import asyncio
import itertools

import h11
from record import Recorder, trace_of

recorder = Recorder()
numbers = itertools.count(1)


async def serve(reader, writer):
    number, connection = next(numbers), h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 16)
    try:
        while await exchange(number, connection, reader, writer):
            connection.start_next_cycle()
    except ConnectionError:
        pass
    except h11.RemoteProtocolError as fault:
        recorder.fault(number, str(fault))
    finally:
        writer.close()


async def exchange(number, connection, reader, writer):
    """One request and its response; whether another can follow."""
    request = await next_event(connection, reader, writer)
    if not isinstance(request, h11.Request):
        return False
    method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw_items()]
    early, body, complete = target.startswith("/early"), b"", True
    if not early:
        try:
            while isinstance(event := await next_event(connection, reader, writer), h11.Data):
                body += event.data
            complete = isinstance(event, h11.EndOfMessage)
        except h11.RemoteProtocolError:
            complete = False
    recorder.request(number, method, target, fields, None if early else body, complete)
    if not complete:
        return False
    content = f"{method} {target}\n".encode("latin-1")
    answer = [("X-Seen", trace_of(fields)), ("Content-Length", str(len(content)))]
    if early:  # it does not read the body, and so cannot find the next request
        answer.append(("Connection", "close"))
    for event in (h11.Response(status_code=200, headers=answer), h11.Data(data=content), h11.EndOfMessage()):
        if method != "HEAD" or not isinstance(event, h11.Data):
            writer.write(connection.send(event))
    await writer.drain()
    return not early and connection.our_state is h11.DONE and connection.their_state is h11.DONE


async def next_event(connection, reader, writer):
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])))
        connection.receive_data(await reader.read(65536))
    return event


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    recorder.listening(server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
