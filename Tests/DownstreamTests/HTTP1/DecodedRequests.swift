import NIOCore
import NIOHTTP1

@testable import Downstream

/// What a decoder makes of bytes: the requests, and the fault after them.
struct DecodedRequests: Equatable {
    struct Request: Equatable {
        let decoded: DecodedHead
        var body: [UInt8] = []
        /// `nil` if the request is not complete.
        var trailers: HTTPHeaders?
    }

    private(set) var requests: [Request] = []
    private(set) var fault: RequestFault?
    /// Bytes that were not read.
    private(set) var unread = 0

    init(_ bytes: [UInt8], cutAt cuts: some Collection<Int> = [Int](), limit: Int = 32 << 10) {
        var decoder = RequestDecoder(limit: limit), buffer = ByteBuffer(), start = 0
        for end in Array(cuts) + [bytes.count] {
            buffer.writeBytes(bytes[start..<end])
            start = end
            read(from: &buffer, with: &decoder)
        }
        unread = fault == nil ? buffer.readableBytes : 0
    }

    private mutating func read(from buffer: inout ByteBuffer, with decoder: inout RequestDecoder) {
        do throws(RequestFault) {
            while let part = try decoder.next(from: &buffer) {
                switch part {
                case .head(let decoded): requests.append(Request(decoded: decoded))
                case .body(let body): requests[requests.count - 1].body += body.readableBytesView
                case .end(let trailers): requests[requests.count - 1].trailers = trailers
                }
            }
        } catch {
            fault = error
        }
    }
}
