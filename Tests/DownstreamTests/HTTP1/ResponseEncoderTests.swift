import HTTPText
import NIOCore
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct ResponseEncoderTests {
    private func head(
        _ status: HTTPResponseStatus = .ok, in version: HTTPVersion = .http1_1, _ headers: HTTPHeaders = [:],
        framing: ResponseEncoder.Framing = .init()
    ) -> String {
        var buffer = ByteBuffer()
        ResponseEncoder.write(status, in: version, headers, framing: framing, to: &buffer)
        return String(buffer: buffer)
    }

    @Test func aHeadIsAStatusLineFieldsAndAnEmptyLine() {
        #expect(head() == "HTTP/1.1 200 OK\r\n\r\n")
        #expect(
            head(.notFound, in: .http1_0, ["X-A": "1", "x-a": ""])
                == "HTTP/1.0 404 Not Found\r\nX-A: 1\r\nx-a: \r\n\r\n")
        #expect(head(.custom(code: 299, reasonPhrase: "")) == "HTTP/1.1 299 \r\n\r\n")
        #expect(head(.continue) == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func theFieldsOfTheConnectionComeLast() {
        #expect(
            head(["A": "b"], framing: .init(isChunked: true, connection: "close"))
                == "HTTP/1.1 200 OK\r\nA: b\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        #expect(
            head(in: .http1_0, framing: .init(connection: "keep-alive"))
                == "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n")
    }

    private func head(_ headers: HTTPHeaders, framing: ResponseEncoder.Framing) -> String {
        head(.ok, headers, framing: framing)
    }

    /// RFC 9110, section 5.5: the bytes that were received.
    @Test func bytesOfValuesArePreserved() {
        let value: [UInt8] = [0x80, 0xC3, 0xA9, 0xFF, 0xE9], reason: [UInt8] = [0x4F, 0xE9]
        var buffer = ByteBuffer()
        ResponseEncoder.write(
            .custom(code: 299, reasonPhrase: FieldText.string(reason)), in: .http1_1,
            ["X": FieldText.string(value)], to: &buffer)
        #expect(
            Array(buffer.readableBytesView)
                == Array("HTTP/1.1 299 ".utf8) + reason + Array("\r\nX: ".utf8) + value + Array("\r\n\r\n".utf8))
    }

    @Test func manyLargeFieldsFit() {
        let headers = HTTPHeaders((0..<500).map { ("X-\($0)", String(repeating: "\u{E9}", count: $0)) })
        var buffer = ByteBuffer()
        ResponseEncoder.write(.ok, in: .http1_1, headers, to: &buffer)
        #expect(
            buffer.readableBytes == headers.reduce(19) { $0 + $1.name.utf8.count + $1.value.unicodeScalars.count + 4 })
    }

    @Test(arguments: [[:], ["X-Sum": "7", "Y": "\u{E9}"]] as [HTTPHeaders]) func anEndIsTheLastChunk(
        trailers: HTTPHeaders
    ) {
        var buffer = ByteBuffer()
        ResponseEncoder.writeEnd(trailers: trailers, to: &buffer)
        let fields = trailers.isEmpty ? [] : Array("X-Sum: 7\r\nY: ".utf8) + [0xE9, 0x0D, 0x0A]
        #expect(Array(buffer.readableBytesView) == Array("0\r\n".utf8) + fields + [0x0D, 0x0A])
    }
}
