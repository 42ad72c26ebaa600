import Flow
import Planning

/// Clients: starts, ends and draws.
extension Simulation {
    /// A client starts a stream at any replica that runs.
    mutating func start(_ client: Int) throws(Violation) {
        guard isActive else { return }
        queue.add(.start(client: client), at: pause(scenario.startPause))
        let running = replicas.indices.filter { replicas[$0] != nil }
        guard let index = running.randomElement(using: &random), let time = replicas[index]?.time(at: now) else {
            return
        }
        result.starts += 1
        let step = replicas[index]?.limits.start(checks.limits[client], at: time)
        switch step {
        case .decided(let verdict): try decided(verdict, client, index, sequence: nil)
        case .ask(let command):
            replicas[index]?.starts[command.sequence] = client
            send(command, from: index)
        case nil: break
        }
        plan(index)
    }

    /// A replica has its verdict on a start.
    mutating func decided(
        _ verdict: SharedVerdict, _ client: Int, _ index: Int, sequence: Int64?
    ) throws(Violation) {
        guard let replica = replicas[index] else { return }
        switch verdict {
        case .admitted(let basis):
            var isExtra = true
            if case .byStore = basis {
                guard let sequence, let isPart = replica.observed.granted.removeValue(forKey: sequence) else {
                    return try require("a start was admitted that the store has not granted")
                }
                isExtra = isPart
            }
            try require(checks.admittedAlone(basis, client, replica, checks.limits[client]))
            open(client, index, isExtra: isExtra)
            trace(2, Int64(index), Int64(client), isExtra ? 1 : 0)
            try require(checks.openStreams(replicas, at: now))
        case .refused(let limit, let wait):
            trace(3, Int64(index), Int64(client), Int64(limit), wait.nanoseconds)
            try require(checks.refused(limit, checks.limits[client], replica, sequence: sequence))
        }
    }

    private mutating func open(_ client: Int, _ index: Int, isExtra: Bool) {
        lastStream += 1
        // One of eight responses is no stream: it ends at once, and its start is given back.
        let isPlain = !isExtra && lastStream.isMultiple(of: 8)
        let limits = checks.limits[client]
        replicas[index]?.streams[lastStream] = Replica.Stream(client: client, limits: limits, isExtra: isExtra)
        if isPlain, let command = replicas[index]?.limits.refund(limits) { send(command, from: index) }
        queue.add(
            .end(replica: index, process: processes[index], stream: lastStream),
            at: isPlain || !isActive ? now : pause(scenario.streamTime))
    }

    mutating func end(_ index: Int, _ process: Int, _ stream: Int) {
        guard processes[index] == process, let time = replicas[index]?.time(at: now),
            let ended = replicas[index]?.streams.removeValue(forKey: stream)
        else { return }
        trace(4, Int64(index), Int64(stream))
        if fault == .lostDecrement, stream.isMultiple(of: 8) { return }
        replicas[index]?.limits.ended(ended.limits, at: time)
        plan(index)
    }

    /// The streams of a client draw records at some replicas; without disturbances at all of them, as much as they can.
    ///
    /// While records are counted, its streams leave a replica from time to time until the next call (``DrawTotal``).
    mutating func draw(_ client: Int) throws(Violation) {
        guard isActive else { return }
        queue.add(.draw(client: client), at: pause(1.6e8))
        let isMove = checks.total.streamsMove(at: now) && Int.random(in: 0..<4, using: &random) == 0
        let left = isMove ? replicas.indices.randomElement(using: &random) : nil
        for index in replicas.indices {
            guard let replica = replicas[index] else { continue }
            if index == left {
                endDrawing(client, index)
                continue
            }
            if isDisturbed, Bool.random(using: &random) {
                if Bool.random(using: &random) { endDrawing(client, index) }
                continue
            }
            try draw(client, replica, index, mostDraws: !isDisturbed || Bool.random(using: &random) ? 64 : 1)
            plan(index)
        }
        try require(checks.leases(client, replicas, at: now))
    }

    private mutating func draw(
        _ client: Int, _ replica: Replica, _ index: Int, mostDraws: Int
    ) throws(Violation) {
        let time = replica.time(at: now), rate = checks.rates[client]
        if replica.drawers[client] == nil {
            replica.drawers[client] = Replica.Drawer()
            replica.limits.opened(rate, at: time)
        }
        var round = replica.drawers[client]?.round
        for _ in 0..<mostDraws {
            let draw = replica.limits.draw(rate, upTo: 1000, after: &round, at: time)
            try noteShare(client, replica, at: time)
            guard case .lease(let records, let begins) = draw else {
                if fault == .drawsWithoutLease { try noteDrawn(50, client, replica, index) }
                break
            }
            try noteDrawn(records, client, replica, index)
            if begins > time { break }
        }
        replica.drawers[client]?.round = round
    }

    private mutating func noteDrawn(
        _ records: Int, _ client: Int, _ replica: Replica, _ index: Int
    ) throws(Violation) {
        trace(5, Int64(index), Int64(records))
        try require(
            checks.total.drew(
                records, of: client, limit: scenario.recordLimit, replicas: scenario.replicas, at: now))
        try require(replica.drawn.drew(records, of: client))
    }

    /// The share of a client at a replica may have changed.
    func noteShare(_ client: Int, _ replica: Replica, at time: Instant) throws(Violation) {
        let share = replica.limits.applied(checks.shares[client], at: time)
        replica.drawn.applied(share, of: client, at: time.nanoseconds)
        try require(checks.applied(share, replica, at: now))
    }

    mutating func endDrawing(_ client: Int, _ index: Int) {
        guard let replica = replicas[index], replica.drawers[client].take() != nil else { return }
        if fault == .lostStreamEnd { return }
        replica.limits.closed(checks.shares[client])
        plan(index)
    }
}
