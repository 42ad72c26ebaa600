import Flow
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import Downstream

/// Writes a response from a loop that is not its connection's, as a stream does: while there is room.
final class RelayedStream: ResponseWriterDelegate {
    /// Its observations, for the test to wait for.
    struct State: Sendable {
        var written = 0
        var blocks = 0
        var finishes = 0
        var closes = 0
        var isGone = false

        var isOver: Bool { finishes + closes > 0 }
    }

    private let response: RelayedResponse
    private let state: Watched<State>
    private let line: [UInt8]
    private var left: Int
    private var afterwards: (RelayedResponse) -> Void

    /// - Parameters:
    ///   - response: What it writes.
    ///   - line: What it writes over and over.
    ///   - lines: How often.
    ///   - state: Where it reports what it sees.
    ///   - afterwards: What it does when all is written.
    init(
        _ response: RelayedResponse, line: String, lines: Int, state: Watched<State>,
        afterwards: @escaping (RelayedResponse) -> Void = { $0.end() }
    ) {
        (self.response, self.line, self.state) = (response, Array(line.utf8), state)
        (left, self.afterwards) = (lines, afterwards)
    }

    deinit { state.update { $0.isGone = true } }

    func start(_ body: ResponseBodyLength = .unknown, headers: HTTPHeaders = [:]) {
        response.delegate = self
        response.writeHead(.ok, headers: headers, body: body)
        pump()
    }

    func pump() {
        guard !response.hasEnded else { return }
        var written = 0
        while left > 0, response.room > 0 {
            line.withUnsafeBytes { response.write($0) }
            written += line.count
            left -= 1
        }
        #expect(written < BatchSize.maximum + line.count, "no more than there is room for")
        state.update { $0.written += written }
        guard left == 0 else { return }
        afterwards(response)
        afterwards = { _ in }
    }

    func responseCaughtUp() {
        expectMore()
        pump()
    }

    func responseBlocked() {
        expectMore()
        state.update { $0.blocks += 1 }
    }

    func responseFinished() {
        expectMore()
        state.update { $0.finishes += 1 }
    }

    func responseClosed() {
        expectMore()
        state.update { $0.closes += 1 }
    }

    private func expectMore() { #expect(!state.value.isOver, "nothing follows the last call") }
}
