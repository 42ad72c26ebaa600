import Flow
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Observability
import Redis
import Settings

/// The limits that hold over all replicas: ``SharedLimits`` under a lock, for all event loops, and the connection to the
/// store on one of them.
///
/// There is one connection for the process, not one for each loop: commands keep their order, so that a count that a later
/// command corrects is not written after it, and the commands of all loops share a write. A start on another loop costs two
/// wake-ups in addition. The lock is taken a few times for each start that is limited over replicas, never for a record.
final class Replicas: Sendable {
    fileprivate struct Guarded {
        var limits: SharedLimits
        /// Those of the connection's loop.
        var wakeUps = WakeUps()
        var random = RandomPool()
        var figures = ReplicasFigures()
        var isUp = false
    }

    /// The name of this replica at the store: no other process has it, not even a previous one of the same instance.
    let name: String
    private let prefix: String
    private let patience: TimeAmount
    private let log: Logger
    let clock: @Sendable () -> Instant
    private let guarded: NIOLockedValueBox<Guarded>
    private let loop: any EventLoop
    private let link: NIOLoopBound<StoreLink>
    private let warnings = WarningPace(every: .seconds(60))
    private let notices = WarningPace(every: .seconds(60))
    /// Begins to connect; returns at once.
    ///
    /// - Parameters:
    ///   - settings: The server and the times.
    ///   - loop: The loop of the connection; this is called on it.
    ///   - log: Reports when the store is lost and found, at most once a minute.
    ///   - clock: Reads the monotonic clock.
    /// - Throws: ``ReplicasError`` if a file of the configuration cannot be used.
    init(
        _ settings: Configuration.Replicas, on loop: any EventLoop, log: Logger,
        clock: @escaping @Sendable () -> Instant = { .monotonic() }
    ) throws {
        let client = Client(try ClientSettings(settings), on: loop)
        link = NIOLoopBound(StoreLink(client, on: loop), eventLoop: loop)
        name = "\(settings.name ?? HostName.current):\(String(UInt64.random(in: .min ... .max), radix: 36))"
        (prefix, patience) = (settings.prefix, .nanoseconds(settings.patience.nanoseconds))
        (self.loop, self.log, self.clock) = (loop, log, clock)
        guarded = NIOLockedValueBox(Guarded(limits: SharedLimits(at: clock())))
        link.value.start(for: self)
    }

    /// Closes the connection; starts are decided without the store from now on.
    ///
    /// On the connection's loop.
    func stop() { link.value.stop() }

    // MARK: Starts

    /// Decides about a start.
    ///
    /// - Parameters:
    ///   - limits: Its limits, in the order in which a refusal names them.
    ///   - eventLoop: The loop of the caller.
    ///   - decided: Called once, on that loop and within `patience`, if the store is asked.
    /// - Returns: The verdict; `nil` if the store is asked.
    func start(
        _ limits: [SharedLimit], on eventLoop: any EventLoop, decided: @escaping (SharedVerdict) -> Void
    ) -> SharedVerdict? {
        let now = clock()
        switch guarded.withLockedValue({ $0.limits.start(limits, at: now) }) {
        case .decided(let verdict):
            advance()
            return verdict
        case .ask(let command):
            ask(command, on: eventLoop, decided)
            return nil
        }
    }

    private func ask(
        _ command: StoreCommand, on eventLoop: any EventLoop, _ decided: @escaping (SharedVerdict) -> Void
    ) {
        // Commands other than starts have no verdict.
        guard !loop.inEventLoop else {
            return send(command, over: link.value) { verdict in if let verdict { decided(verdict) } }
        }
        let bound = NIOLoopBound(decided, eventLoop: eventLoop)
        loop.execute { [self] in
            send(command, over: link.value) { verdict in
                guard let verdict else { return }
                eventLoop.execute { bound.value(verdict) }
            }
        }
    }

    /// A stream that was admitted under these limits has ended.
    func ended(_ limits: [SharedLimit]) {
        let now = clock()
        guarded.withLockedValue { $0.limits.ended(limits, at: now) }
        advance()
    }

    /// A stream whose end was reported is open all the same.
    func continued(_ limits: [SharedLimit]) {
        let now = clock()
        guarded.withLockedValue { $0.limits.continued(limits, at: now) }
        advance()
    }

    /// Gives the starts back that the store has taken for a response that is no stream.
    func refund(_ limits: [SharedLimit]) {
        guard let command = guarded.withLockedValue({ $0.limits.refund(limits) }) else { return }
        onLink { replicas, link in replicas.send(command, over: link) { _ in } }
    }

    /// Changes the limits under the lock; ``advance()`` follows if this may have made a command due.
    func withLimits<Answer>(_ body: (inout SharedLimits) -> Answer) -> Answer {
        guarded.withLockedValue { body(&$0.limits) }
    }

    func noteSubscription(_ isSubscribed: Bool) {
        guarded.withLockedValue { $0.figures.isSubscribed = isSubscribed }
    }

    /// A message of the channel is none that a replica sends.
    func noteMalformedMessage() { guarded.withLockedValue { $0.figures.failures[.malformed] += 1 } }

    // MARK: Reports

    /// The state of the store and the counts so far.
    var figures: ReplicasFigures {
        guarded.withLockedValue { guarded in
            var figures = guarded.figures
            (figures.isUp, figures.replicas) = (guarded.isUp, guarded.limits.health.replicas)
            (figures.name, figures.creditedRecords) = (name, Int(guarded.limits.shares.credited))
            return figures
        }
    }

    // MARK: Commands

    private func onLink(_ body: @escaping @Sendable (Replicas, StoreLink) -> Void) {
        if loop.inEventLoop { return body(self, link.value) }
        loop.execute { [self] in body(self, link.value) }
    }

    /// Sends a command, and reports its result to the limits.
    private func send(
        _ command: StoreCommand, over link: StoreLink, _ done: @escaping (SharedVerdict?) -> Void
    ) {
        link.client.run(ScriptCall(command, prefix: prefix, replica: name), within: patience) { [self] result in
            let reply = Result { () throws(StoreFailure) in try StoreReply(result, to: command) }
            done(finished(command, reply))
            advance()
        }
    }

    private func finished(_ command: StoreCommand, _ reply: Result<StoreReply, StoreFailure>) -> SharedVerdict? {
        let now = clock()
        let (verdict, change) = guarded.withLockedValue { guarded -> (SharedVerdict?, Bool?) in
            guarded.figures.commands += 1
            let jitter = guarded.jitter(after: reply)
            let verdict: SharedVerdict?
            switch reply {
            case .success(let reply): verdict = guarded.limits.answered(command, reply, jitter: jitter, at: now)
            case .failure(let failure):
                guarded.figures.failures[failure] += 1
                verdict = guarded.limits.failed(command, jitter: jitter, at: now)
            }
            return (verdict, guarded.noteState())
        }
        switch reply {
        case .success: logUse(change, at: now)
        case .failure(let failure): logFailure(failure, at: now)
        }
        return verdict
    }

    // Each change would be too much of a store that comes and goes: the metrics count them.

    private func logFailure(_ failure: StoreFailure, at now: Instant) {
        guard warnings.isDue(at: now) else { return }
        log.warning(
            "limits are not shared with the other replicas: Redis does not answer as it should",
            metadata: ["cause": "\(failure.rawValue)"])
    }

    private func logUse(_ isUp: Bool?, at now: Instant) {
        guard isUp == true, notices.isDue(at: now) else { return }
        log.notice("limits are shared with the other replicas", metadata: ["replica": "\(name)"])
    }

    // MARK: Wake-ups

    /// Makes sure that the commands that are due are sent in time.
    func advance() {
        let due = guarded.withLockedValue { guarded -> Instant? in
            guard let due = guarded.limits.deadline, guarded.wakeUps.needs(due) else { return nil }
            return due
        }
        if let due { onLink { $1.wakeUp(at: due, now: $0.clock()) } }
    }

    /// Sends what is due.
    ///
    /// On the connection's loop.
    func wokeUp() {
        guard link.value.isOpen else { return }
        let now = clock()
        let (commands, change) = guarded.withLockedValue { guarded -> ([StoreCommand], Bool?) in
            guarded.wakeUps.fired(at: now)
            return (guarded.limits.takeCommands(at: now), guarded.noteState())
        }
        logUse(change, at: now)
        for command in commands { send(command, over: link.value) { _ in } }
        advance()
    }
}

extension Replicas.Guarded {
    /// A random number for ``StoreHealth``, which uses none if a store that is up has answered.
    fileprivate mutating func jitter(after reply: Result<StoreReply, StoreFailure>) -> Double {
        if case .success = reply, limits.health.isUp { 0 } else { .random(in: 0..<1, using: &random) }
    }

    /// Whether the store has come into use, or is no longer used; `nil` if nothing has changed.
    fileprivate mutating func noteState() -> Bool? {
        guard isUp != limits.health.isUp else { return nil }
        isUp.toggle()
        if !isUp { figures.losses += 1 }
        return isUp
    }
}
