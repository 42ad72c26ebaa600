import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct ResponseWriterTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    /// A connection whose request is being answered, and the writer.
    private func opened(
        _ request: String = get, body: ResponseWriter.Body? = .unknown, headers: HTTPHeaders = [:],
        delegate: ScriptedDelegate? = nil
    ) throws -> (EmbeddedConnection, ResponseWriter) {
        let connection = try EmbeddedConnection()
        var writer: ResponseWriter?
        connection.handler.onRequest = {
            $1.delegate = delegate
            if let body { $1.writeHead(.ok, headers: headers, body: body) }
            writer = $1
        }
        try connection.send(request)
        return (connection, try #require(writer))
    }

    // MARK: Framing

    /// RFC 9112, section 7.1: the size in hexadecimal, at each number of digits.
    @Test(arguments: [1, 2, 9, 10, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 4098, 65_523, 65_524, 65_535, 65_536])
    func aBatchIsOneChunkOfItsSize(size: Int) throws {
        let (connection, writer) = try opened()
        let body = String((0..<size).map { Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8($0 % 26))) })
        connection.turn { writer.write(body) }
        #expect(try connection.received() == Self.chunkedHead + String(size, radix: 16) + "\r\n" + body + "\r\n")
        connection.turn { writer.end() }
        #expect(try connection.received() == "0\r\n\r\n")
    }

    @Test func whatATurnBringsIsOneChunk() throws {
        let (connection, writer) = try opened()
        connection.turn { for word in ["one ", "two ", "three"] { writer.write(word) } }
        connection.turn { writer.write("four") }
        #expect(try connection.received() == Self.chunkedHead + "d\r\none two three\r\n4\r\nfour\r\n")
    }

    @Test func aWholeAnswerOfOneTurnIsComplete() throws {
        let (connection, writer) = try opened(body: nil)
        connection.turn {
            writer.writeHead(.ok, headers: [:], body: .unknown)
            writer.write("a")
            writer.end()
        }
        #expect(try connection.received() == Self.chunkedHead + "1\r\na\r\n0\r\n\r\n")
    }

    @Test func nothingWrittenIsNoChunk() throws {
        let (connection, writer) = try opened()
        connection.turn {
            writer.write("")
            writer.end()
        }
        #expect(try connection.received() == Self.chunkedHead + "0\r\n\r\n")
    }

    @Test func aBodyOfKnownLengthIsNotFramed() throws {
        let (connection, writer) = try opened(body: .length, headers: ["Content-Length": "8"])
        connection.turn { writer.write("four") }
        connection.turn {
            writer.write("more")
            writer.end()
        }
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfourmore")
        #expect(connection.isOpen)
    }

    @Test func forAnHTTP10ClientTheEndOfTheConnectionIsTheEnd() throws {
        let (connection, writer) = try opened("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        connection.turn { writer.write("four") }
        connection.turn { writer.end() }
        #expect(try connection.received() == "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nfour")
        #expect(!connection.isOpen)
    }

    @Test(arguments: [ResponseWriter.Body.none, .length, .unknown]) func anAnswerToHEADHasNoBody(
        body: ResponseWriter.Body
    ) throws {
        let (connection, writer) = try opened(
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", body: body, headers: ["Content-Length": "4"])
        connection.turn {
            writer.write("four")
            writer.end()
        }
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        #expect(connection.isOpen)
    }

    @Test func headersKeepTheirOrderAndCase() throws {
        let (connection, _) = try opened(body: ResponseWriter.Body.none, headers: ["X-b": "1", "a": "2", "X-B": "3"])
        connection.turn()
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nX-b: 1\r\na: 2\r\nX-B: 3\r\n\r\n")
    }

    // MARK: Two responses on one loop

    @Test func writersThatTakeTurnsDoNotMixTheirBytes() throws {
        let (connection, writer) = try opened()
        // A second connection on the same loop, with the same outbox.
        let second = try connection.makeSibling()
        var other: ResponseWriter?
        connection.handler.onRequest = {
            $1.writeHead(.ok, headers: [:], body: .unknown)
            other = $1
        }
        try second.send(Self.get)
        connection.turn {
            for index in 0..<3 {
                writer.write("a\(index)")
                other?.write("b\(index)")
            }
        }
        #expect(try connection.received() == Self.chunkedHead + "2\r\na0\r\n2\r\na1\r\n2\r\na2\r\n")
        #expect(try second.received() == Self.chunkedHead + "2\r\nb0\r\n2\r\nb1\r\n2\r\nb2\r\n")
    }

    @Test func bytesForAClientThatHasLeftGoToNobody() throws {
        let (connection, writer) = try opened()
        let second = try connection.makeSibling()
        var other: ResponseWriter?
        connection.handler.onRequest = {
            $1.writeHead(.ok, headers: [:], body: .unknown)
            other = $1
        }
        try second.send(Self.get)
        writer.write("for the one that leaves")
        try connection.leave()
        connection.turn { other?.write("for the other") }
        #expect(try second.received() == Self.chunkedHead + "d\r\nfor the other\r\n")
    }

    // MARK: Room

    @Test func thereIsRoomForOneBatchUntilTheClientTakesIt() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try opened(delegate: delegate)
        connection.turn()
        #expect(writer.room == Outbox.capacity)
        writer.write("1234")
        #expect(writer.room == Outbox.capacity - 4)
        connection.setTaking(false)
        connection.turn()
        #expect(writer.room == 0)
        #expect(delegate.heldUps == 1)
        let rooms = delegate.rooms
        connection.turn()
        #expect(writer.room == 0)
        #expect(delegate.rooms == rooms)
        connection.setTaking(true)
        #expect(delegate.rooms == rooms + 1)
        #expect(writer.room == Outbox.capacity)
    }

    /// What a client that never reads costs: one batch, however much there would be to write.
    @Test func aClientThatDoesNotReadIsHandedOneBatch() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try opened(delegate: delegate)
        connection.turn()
        _ = try connection.received()
        // As the driver does: writes whenever there is room. The kernel takes nothing of it.
        let record = String(repeating: "x", count: 999) + "\n"
        var written = 0
        let pump = {
            while writer.room > 0 {
                writer.write(record)
                written += record.utf8.count
                connection.setTaking(false)
            }
        }
        delegate.onRoom = pump
        for _ in 0..<10 { connection.turn(pump) }
        #expect(written > 0 && written <= Outbox.capacity)
        #expect(delegate.heldUps == 1)
        // It reads: the next batch comes, and no more than that.
        for batches in 2...5 {
            connection.setTaking(true)
            for _ in 0..<10 { connection.turn(pump) }
            #expect(written <= batches * Outbox.capacity)
            #expect(delegate.heldUps == batches)
        }
        #expect(try connection.received().count > written)
    }

    @Test func aRecordLargerThanABatchPassesWhole() throws {
        let (connection, writer) = try opened()
        let record = String(repeating: "x", count: 300_000)
        connection.turn { writer.write(record) }
        #expect(try connection.received() == Self.chunkedHead + String(300_000, radix: 16) + "\r\n" + record + "\r\n")
    }

    @Test func beforeTheHeadAndBehindTheEndThereIsNoRoom() throws {
        let (_, before) = try opened(body: nil)
        #expect(before.room == 0 && !before.hasHead)
        let (_, after) = try opened()
        #expect(after.hasHead && !after.hasEnded)
        after.end()
        #expect(after.room == 0 && after.hasEnded)
    }

    // MARK: Ends

    @Test func theEndIsToldOnceTheClientHasTakenIt() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try opened(delegate: delegate)
        connection.turn()
        connection.setTaking(false)
        connection.turn {
            writer.write("last")
            writer.end()
        }
        #expect(delegate.finishes == 0)
        connection.setTaking(true)
        #expect(delegate.finishes == 1)
        #expect(delegate.closes == 0)
    }

    @Test func whatComesBehindTheEndDoesNothing() throws {
        let (connection, writer) = try opened()
        connection.turn {
            writer.end()
            writer.end()
            writer.write("late")
            writer.breakOff()
        }
        #expect(try connection.received() == Self.chunkedHead + "0\r\n\r\n")
        #expect(connection.isOpen)
    }

    /// RFC 9112, section 8: a message that broke off must not look complete.
    @Test(arguments: [ResponseWriter.Body.unknown, .length]) func aResponseThatBreaksOffHasNoEnd(
        body: ResponseWriter.Body
    ) throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try opened(
            body: body, headers: body == .length ? ["Content-Length": "100"] : [:], delegate: delegate)
        connection.turn {
            writer.write("half")
            writer.breakOff()
            writer.end()
            writer.breakOff()
        }
        let received = try connection.received()
        #expect(received.hasSuffix(body == .length ? "\r\n\r\nhalf" : "\r\n4\r\nhalf\r\n"))
        #expect(!connection.isOpen)
        #expect(delegate.finishes == 1)
    }

    @Test func aResponseThatBreaksOffWaitsUntilItsLastBytesAreTaken() throws {
        let (connection, writer) = try opened()
        connection.turn()
        connection.setTaking(false)
        connection.turn {
            writer.write("half")
            writer.breakOff()
        }
        #expect(connection.isOpen)
        connection.setTaking(true)
        #expect(!connection.isOpen)
    }

    @Test func breakingOffBeforeTheHeadSendsNothing() throws {
        let (connection, writer) = try opened(body: nil)
        connection.turn { writer.breakOff() }
        #expect(try connection.received().isEmpty)
        #expect(!connection.isOpen)
    }

    @Test func abortingClosesAtOnce() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try opened(delegate: delegate)
        connection.turn()
        connection.setTaking(false)
        connection.turn { writer.write("held") }
        writer.abort()
        #expect(!connection.isOpen)
        #expect(delegate.closes == 1)
    }

    @Test func closingAfterwardsIsSaidInTheHead() throws {
        let (connection, writer) = try opened(body: nil)
        connection.turn {
            writer.closeAfterwards()
            writer.answer("ok")
        }
        #expect(try connection.received().contains("connection: close\r\n"))
        #expect(!connection.isOpen)
    }

    @Test(arguments: [true, false]) func aResponseThatIsOverIsLetGo(ends: Bool) throws {
        let connection = try EmbeddedConnection()
        weak var writer: ResponseWriter?
        weak var delegate: ScriptedDelegate?
        connection.handler.onRequest = {
            let listens = ScriptedDelegate()
            $1.delegate = listens
            (writer, delegate) = ($1, listens)
            if ends { $1.answer("ok") }
        }
        try connection.send(Self.get)
        if !ends { try connection.leave() }
        #expect(writer == nil && delegate == nil)
    }
}
