import NIOCore

/// One connection to a server: the commands of a turn of the loop leave in one write, and replies are matched in order.
///
/// A command whose time is over has its callback called and keeps its position, so that a late reply is not taken for that of
/// the next command. The connection closes when the oldest command has had no reply for `replyTimeout`. Every callback is called
/// once, the last ones when the connection ends.
///
/// Confined to its event loop.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Done = (Result<Reply, CommandFailure>) -> Void

    private struct Waiting {
        /// `nil` after the command's time was over.
        var done: Done?
        /// The call that is repeated with the script's text if the server does not know the script.
        let call: ScriptCall?
        let deadline: NIODeadline
        let sentAt: NIODeadline
    }

    /// The commands of this turn.
    private struct Outbound {
        var commands = CommandWriter()
        var awaitsFlush = false
    }

    /// The timer of the deadlines, and when it fires.
    private struct Alarm {
        var timer: Scheduled<Void>?
        var due = NIODeadline.distantFuture
    }

    /// Called once, after the last callback of a command.
    var ended: ((ConnectFailure) -> Void)?
    /// Receives the messages of a subscribed channel; once set, arrays that are messages are not replies.
    var messageArrived: (([UInt8]) -> Void)?
    /// The SHA-1 of each loaded script.
    var digests: [Script: String] = [:]

    private let replyTimeout: TimeAmount
    private let maximumInFlight: Int
    private var context: ChannelHandlerContext?
    private var parser = ReplyParser()
    private var waiting = CircularBuffer<Waiting>()
    private var outbound = Outbound()
    private var alarm = Alarm()
    private var failure: ConnectFailure?
    private(set) var hasEnded = false

    init(replyTimeout: TimeAmount, maximumInFlight: Int) {
        (self.replyTimeout, self.maximumInFlight) = (replyTimeout, maximumInFlight)
    }

    /// Commands without a reply.
    var inFlight: Int { waiting.count }

    /// Sends a command at the end of this turn.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - time: The longest time until `done` is called.
    ///   - done: Gets the reply, or the reason why there is none; an error reply is ``CommandFailure/refused(_:)``. It may be
    ///     called before this returns.
    func send(_ command: Command, within time: TimeAmount, _ done: @escaping Done) {
        send(within: time, done) { command.write(to: &$0) }
    }

    /// Runs a script at the end of this turn; if the server does not know it, its text is sent once.
    func run(_ call: ScriptCall, within time: TimeAmount, _ done: @escaping Done) {
        let digest = digests[call.script]
        send(within: time, repeating: digest == nil ? nil : call, done) { call.write(by: digest, to: &$0) }
    }

    private func send(
        within time: TimeAmount, repeating call: ScriptCall? = nil, _ done: @escaping Done,
        _ write: (inout CommandWriter) -> Void
    ) {
        guard let context, !hasEnded, failure == nil else { return done(.failure(.notConnected)) }
        guard waiting.count < maximumInFlight else { return done(.failure(.tooManyInFlight)) }
        let now = context.eventLoop.now
        write(&outbound.commands)
        waiting.append(Waiting(done: done, call: call, deadline: now + time, sentAt: now))
        schedule(min(now + time, now + replyTimeout))
        guard !outbound.awaitsFlush else { return }
        outbound.awaitsFlush = true
        context.eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Ends the connection; the waiting commands fail.
    ///
    /// It does not wait for the channel, which TLS keeps open until the peer has agreed or the time for that is over.
    func close(_ reason: ConnectFailure) {
        guard failure == nil else { return }
        failure = reason
        let context = context
        end()
        context?.close(promise: nil)
    }

    private func flush() {
        outbound.awaitsFlush = false
        guard let context, failure == nil else { return }
        context.writeAndFlush(wrapOutboundOut(outbound.commands.bytes), promise: nil)
        outbound.commands.clear()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        alarm.timer?.cancel()
        context = nil
        let reason = failure ?? .closed
        failure = reason
        while let next = waiting.popFirst() { next.done?(.failure(.notConnected)) }
        ended?(reason)
        (ended, messageArrived) = (nil, nil)
    }
}

// MARK: - Replies

extension Connection {
    private func take(_ reply: Reply) {
        if let messageArrived, case .array(let items) = reply, items.count == 3, items[0].text == "message" {
            if case .bytes(let bytes) = items[2] { messageArrived(bytes) }
            return
        }
        guard let first = waiting.popFirst() else { return close(.unexpectedReply) }
        guard case .error(let error) = reply else { return first.done?(.success(reply)) ?? () }
        if error.cause == .unknownScript, let call = first.call, let done = first.done, let context {
            return send(within: first.deadline - context.eventLoop.now, done) { call.write(by: nil, to: &$0) }
        }
        first.done?(.failure(.refused(error)))
        if error.isOfConnection { close(.refused(error)) }
    }
}

// MARK: - Deadlines

extension Connection {
    /// Makes sure that the timer fires at `due` or before.
    private func schedule(_ due: NIODeadline) {
        guard failure == nil, due < alarm.due, let context else { return }
        alarm.timer?.cancel()
        alarm.due = due
        alarm.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.timerFired() }
    }

    private func timerFired() {
        alarm.due = .distantFuture
        guard failure == nil, let now = context?.eventLoop.now else { return }
        // Callbacks may send further commands: they are called after the last use of an index.
        var expired: [Done] = []
        for index in waiting.indices where waiting[index].deadline <= now {
            guard let done = waiting[index].done else { continue }
            waiting[index].done = nil
            expired.append(done)
        }
        if let oldest = waiting.first {
            let limit = oldest.sentAt + replyTimeout
            if limit <= now { close(.timedOut) }
            schedule(waiting.lazy.filter { $0.done != nil }.map(\.deadline).reduce(limit, min))
        }
        for done in expired { done(.failure(.timedOut)) }
    }
}

// MARK: - The channel

extension Connection {
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        parser.append(unwrapInboundIn(data))
        do throws(ReplyParser.Malformed) {
            while failure == nil, let reply = try parser.next() { take(reply) }
        } catch {
            close(.malformedReply(error))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(.unreachable("\(error)")) }
}
