/// What a listener has to end, whatever it speaks.
protocol ClientConnection: AnyObject {
    /// No further requests: closes as soon as none is being answered.
    func drain()

    /// Closes at once.
    func cut()
}
