/// A connection of either protocol, as far as its listener ends it.
protocol ClientConnection: AnyObject {
    /// No further requests: closes as soon as none is being answered.
    func drain()

    /// Closes at once, with TLS without `close_notify`.
    func cut()
}
