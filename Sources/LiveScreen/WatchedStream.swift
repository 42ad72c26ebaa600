/// The stream whose page is shown.
struct WatchedStream: Sendable {
    enum Phase: Equatable, Sendable {
        case open
        /// The operator is asked whether to end it.
        case confirming
        /// The request to end it has no response yet.
        case ending
        /// It was ended by the operator.
        case ended
        /// It has ended by itself.
        case gone
    }

    let id: String
    private(set) var phase = Phase.open
    /// The last known state; `nil` before the first response.
    private(set) var detail: StreamDetail?
    /// Why the last request failed.
    private(set) var failure: String?

    init(id: String) { self.id = id }

    /// Whether another response may have news.
    var isOpen: Bool { phase != .ended && phase != .gone }

    mutating func ask() { phase = .confirming }
    mutating func keep() { phase = .open }
    mutating func end() { phase = .ending }

    mutating func take(_ answer: StreamAnswer) {
        guard isOpen else { return }
        failure = nil
        switch answer {
        case .open(let detail): self.detail = detail
        case .ended(let detail): (self.detail, phase) = (detail, .ended)
        case .gone: phase = .gone
        case .failed(let reason):
            failure = reason
            if phase == .ending { phase = .open }
        }
    }
}
