import NIOCore
import NIOHTTP1
import Testing

@testable import Upstream

/// One transfer and all that it reported.
final class Exchange: TransferDelegate {
    var transfer: Transfer?
    private(set) var interim: [UpstreamResponseHead] = []
    private(set) var head: UpstreamResponseHead?
    private(set) var body: [UInt8] = []
    private(set) var trailers = HTTPHeaders()
    private(set) var end: TransferEnd?
    /// Called for each piece of the body, during the call.
    var onBytes: (Int) -> Void = { _ in }
    var onHead: () -> Void = {}
    var onEnd: () -> Void = {}
    /// Whether the body is kept; otherwise it is only counted.
    var keepsBody = true
    private(set) var count = 0
    private var waiters: [(condition: (Exchange) -> Bool, promise: EventLoopPromise<Void>)] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    func start() { transfer?.start() }

    func transferInterim(_ head: UpstreamResponseHead) {
        #expect(self.head == nil && end == nil, "before the final head")
        interim.append(head)
    }

    func transferHead(_ head: UpstreamResponseHead) {
        #expect(self.head == nil && count == 0 && end == nil, "one head, before everything else")
        self.head = head
        onHead()
        changed()
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        #expect(head != nil && end == nil && !bytes.isEmpty)
        count += bytes.count
        if keepsBody { body += bytes }
        onBytes(bytes.count)
        changed()
    }

    func transferTrailers(_ trailers: HTTPHeaders) {
        #expect(end == nil && self.trailers.isEmpty && !trailers.isEmpty)
        self.trailers = trailers
    }

    func transferEnded(_ end: TransferEnd) {
        #expect(self.end == nil, "the end is reported once")
        self.end = end
        transfer = nil
        onEnd()
        changed()
    }

    /// Succeeds the promise once the condition holds.
    func wait(until condition: @escaping (Exchange) -> Bool, _ promise: EventLoopPromise<Void>) {
        waiters.append((condition, promise))
    }

    private func changed() {
        let met = waiters.filter { $0.condition(self) }
        waiters.removeAll { $0.condition(self) }
        for waiter in met { waiter.promise.succeed() }
    }
}
