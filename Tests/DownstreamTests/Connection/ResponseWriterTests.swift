import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct ResponseWriterTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    // MARK: Framing

    /// RFC 9112, section 7.1: the size in hexadecimal, at each number of digits.
    @Test(arguments: [1, 2, 9, 10, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 4098, 65_523, 65_524, 65_535, 65_536])
    func aBatchIsOneChunkOfItsSize(size: Int) throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        let body = String((0..<size).map { Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8($0 % 26))) })
        connection.turn { writer.write(body) }
        #expect(try connection.received() == Self.chunkedHead + String(size, radix: 16) + "\r\n" + body + "\r\n")
        connection.turn { writer.end() }
        #expect(try connection.received() == "0\r\n\r\n")
    }

    @Test func whatATurnBringsIsOneChunk() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        connection.turn { for word in ["one ", "two ", "three"] { writer.write(word) } }
        connection.turn { writer.write("four") }
        #expect(try connection.received() == Self.chunkedHead + "d\r\none two three\r\n4\r\nfour\r\n")
    }

    @Test func aWholeAnswerOfOneTurnIsComplete() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        connection.turn {
            writer.writeHead(.ok, headers: [:], body: .unknown)
            writer.write("a")
            writer.end()
        }
        #expect(try connection.received() == Self.chunkedHead + "1\r\na\r\n0\r\n\r\n")
    }

    /// RFC 9110, section 15.2: any number before the head, for clients of HTTP/1.1.
    @Test func informationalHeadsComeFirst() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: nil)
        connection.turn {
            writer.writeInterim(.processing, headers: [:])
            writer.writeInterim(.custom(code: 103, reasonPhrase: "Early Hints"), headers: ["Link": "</a>"])
        }
        #expect(
            try connection.received() == "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        )
        connection.turn {
            writer.writeHead(.ok, headers: [:], body: .unknown)
            writer.writeInterim(.processing, headers: [:])
        }
        #expect(try connection.received() == Self.chunkedHead)
    }

    @Test func anHTTP10ClientGetsNoInformationalHead() throws {
        let (connection, writer) = try EmbeddedConnection.answering("GET / HTTP/1.0\r\n\r\n", body: nil)
        connection.turn { writer.writeInterim(.processing, headers: [:]) }
        #expect(try connection.received() == "")
    }

    @Test func nothingWrittenIsNoChunk() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        connection.turn {
            writer.write("")
            writer.end()
        }
        #expect(try connection.received() == Self.chunkedHead + "0\r\n\r\n")
    }

    @Test func aBodyOfKnownLengthIsNotFramed() throws {
        let (connection, writer) = try EmbeddedConnection.answering(body: .length, headers: ["Content-Length": "8"])
        connection.turn { writer.write("four") }
        connection.turn {
            writer.write("more")
            writer.end()
        }
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfourmore")
        #expect(connection.isOpen)
    }

    @Test func forAnHTTP10ClientTheEndOfTheConnectionIsTheEnd() throws {
        let (connection, writer) = try EmbeddedConnection.answering("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        connection.turn { writer.write("four") }
        connection.turn { writer.end() }
        #expect(try connection.received() == "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nfour")
        #expect(!connection.isOpen)
    }

    @Test(arguments: [ResponseBodyLength.none, .length, .unknown]) func anAnswerToHEADHasNoBody(
        body: ResponseBodyLength
    ) throws {
        let (connection, writer) = try EmbeddedConnection.answering(
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", body: body, headers: ["Content-Length": "4"])
        connection.turn {
            writer.write("four")
            writer.end()
        }
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        #expect(connection.isOpen)
    }

    @Test func headersKeepTheirOrderAndCase() throws {
        let (connection, _) = try EmbeddedConnection.answering(
            body: ResponseBodyLength.none, headers: ["X-b": "1", "a": "2", "X-B": "3"])
        connection.turn()
        #expect(try connection.received() == "HTTP/1.1 200 OK\r\nX-b: 1\r\na: 2\r\nX-B: 3\r\n\r\n")
    }

    // MARK: Two responses on one loop

    /// The response to a request on this connection, with its head.
    private static func answering(_ connection: EmbeddedConnection) throws -> any ConnectionResponse {
        var response: (any ConnectionResponse)?
        connection.handler.onRequest = {
            $1.writeHead(.ok, headers: [:], body: .unknown)
            response = $1
        }
        try connection.send(get)
        return try #require(response)
    }

    @Test func writersThatTakeTurnsDoNotMixTheirBytes() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        // A second connection on the same loop, with the same outbox.
        let second = try connection.makeSibling()
        let other = try Self.answering(second)
        connection.turn {
            for index in 0..<3 {
                writer.write("a\(index)")
                other.write("b\(index)")
            }
        }
        #expect(try connection.received() == Self.chunkedHead + "2\r\na0\r\n2\r\na1\r\n2\r\na2\r\n")
        #expect(try second.received() == Self.chunkedHead + "2\r\nb0\r\n2\r\nb1\r\n2\r\nb2\r\n")
    }

    @Test func bytesForADisconnectedClientAreDiscarded() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        let second = try connection.makeSibling()
        let other = try Self.answering(second)
        writer.write("for the one that leaves")
        try connection.leave()
        connection.turn { other.write("for the other") }
        #expect(try second.received() == Self.chunkedHead + "d\r\nfor the other\r\n")
    }

    // MARK: Room

    @Test func thereIsRoomForOneBatchUntilTheClientTakesIt() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try EmbeddedConnection.answering(delegate: delegate)
        connection.turn()
        #expect(writer.room == BatchSize.maximum)
        writer.write("1234")
        #expect(writer.room == BatchSize.maximum - 4)
        connection.setTaking(false)
        connection.turn()
        #expect(writer.room == 0)
        #expect(delegate.blocks == 1)
        let rooms = delegate.rooms
        connection.turn()
        #expect(writer.room == 0)
        #expect(delegate.rooms == rooms)
        connection.setTaking(true)
        #expect(delegate.rooms == rooms + 1)
        #expect(writer.room == BatchSize.maximum)
    }

    /// The memory for a client that never reads: one batch, however much there would be to write.
    @Test func aClientThatDoesNotReadIsHandedOneBatch() throws {
        let delegate = ScriptedDelegate()
        let (connection, writer) = try EmbeddedConnection.answering(delegate: delegate)
        connection.turn()
        _ = try connection.received()
        // As a stream does: it writes whenever there is room. The kernel takes nothing of it.
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
        #expect(written > 0 && written <= BatchSize.maximum)
        #expect(delegate.blocks == 1)
        // It reads: the next batch comes, and no more than that.
        for batches in 2...5 {
            connection.setTaking(true)
            for _ in 0..<10 { connection.turn(pump) }
            #expect(written <= batches * BatchSize.maximum)
            #expect(delegate.blocks == batches)
        }
        #expect(try connection.received().count > written)
    }

    @Test func aRecordLargerThanABatchPassesWhole() throws {
        let (connection, writer) = try EmbeddedConnection.answering()
        let record = String(repeating: "x", count: 300_000)
        connection.turn { writer.write(record) }
        #expect(try connection.received() == Self.chunkedHead + String(300_000, radix: 16) + "\r\n" + record + "\r\n")
    }

    @Test func beforeTheHeadAndAfterTheEndThereIsNoRoom() throws {
        let (_, before) = try EmbeddedConnection.answering(body: nil)
        #expect(before.room == 0 && !before.hasHead)
        let (_, after) = try EmbeddedConnection.answering()
        #expect(after.hasHead && !after.hasEnded)
        after.end()
        #expect(after.room == 0 && after.hasEnded)
    }
}
