import Flow
import Planning

/// Messages between the replicas and the store, and what each does with them.
extension Simulation {
    mutating func delay() -> Int64 {
        // A segment that is sent again: the replica has opened another connection long before it arrives.
        if isDisturbed, Int.random(in: 0..<128, using: &random) == 0 {
            return Int64.random(in: 200_000_000...3_000_000_000, using: &random)
        }
        let longest = disturbances.contains(.slowNetwork) ? 100 * scenario.delay : scenario.delay
        return Int64.random(in: scenario.delay / 20...longest, using: &random)
    }

    func isDown(_ disturbance: Disturbance) -> Bool {
        if case .storeDown = disturbance { true } else { false }
    }

    // MARK: Replica

    /// Plans the replica's next wake-up.
    mutating func plan(_ index: Int) {
        guard let replica = replicas[index], let deadline = replica.limits.deadline else { return }
        let moment = max(now + 1000, replica.moment(of: deadline))
        guard moment < replica.wakeAt else { return }
        replica.wakeAt = moment
        queue.add(.wake(replica: index, process: processes[index]), at: moment)
    }

    mutating func wake(_ index: Int, _ process: Int) {
        guard processes[index] == process, let replica = replicas[index], replica.wakeAt == now else { return }
        replica.wakeAt = .max
        for command in replica.limits.takeCommands(at: replica.time(at: now)) { send(command, from: index) }
        replica.observed.noted(replica.limits.health, at: now)
        plan(index)
    }

    mutating func send(_ command: StoreCommand, from index: Int) {
        guard let replica = replicas[index] else { return }
        let sent = changed(command, replica)
        replica.commands.insert(command.sequence)
        trace(6, Int64(index), command.sequence)
        if fault != .noDeadline {
            let patience = Int64(Double(Self.patience) / replica.speed)
            queue.add(
                .deadline(replica: index, process: processes[index], command, sentAt: now), at: now + patience)
        }
        guard !replica.isPartitioned else { return }
        let arrival = max(replica.lastSent, now + delay())
        if disturbances.contains(where: isDown) {
            queue.add(
                .atReplica(
                    replica: index, process: processes[index], connection: replica.connection, command, nil),
                at: arrival)
            return
        }
        replica.lastSent = arrival
        queue.add(
            .atStore(replica: index, process: processes[index], connection: replica.connection, sent), at: arrival)
    }

    /// The command as a replica with the planted fault sends it.
    private func changed(_ command: StoreCommand, _ replica: Replica) -> StoreCommand {
        guard case .shares(let requests) = command.content else { return command }
        let sent = requests.map { changed($0, replica) }
        for request in sent where request.unused > 0 { noteCredit(-request.unused, request.key, replica) }
        return fault == nil ? command : StoreCommand(.shares(sent), sequence: command.sequence, replicas: 1)
    }

    private func changed(_ request: RateShare.Request, _ replica: Replica) -> RateShare.Request {
        var (held, unused) = (request.held, request.unused)
        switch fault {
        case .creditInvented: if request.demand == 0 { unused += request.limit }
        case .shareNotReturned:
            held = request.demand == 0 ? 0 : max(held, replica.largestHeld[request.key] ?? 0)
            replica.largestHeld[request.key] = held
        default: return request
        }
        return RateShare.Request(
            key: request.key, limit: request.limit, held: held, demand: request.demand, unused: unused)
    }

    /// Credit of the store has come to a replica; less than zero: is returned by it.
    private func noteCredit(_ credit: Int64, _ key: StoreKey, _ replica: Replica) {
        if let client = checks.shares.firstIndex(of: key) { replica.drawn.credited(credit, of: client) }
    }

    mutating func atReplica(
        _ index: Int, _ process: Int, _ connection: Int, _ command: StoreCommand, _ integers: [Int64]?
    ) throws(Violation) {
        guard processes[index] == process, let replica = replicas[index] else { return }
        let isLate = !replica.commands.contains(command.sequence)
        guard !replica.isPartitioned, connection == replica.connection, !isLate else {
            if isLate, fault == .lateAnswerDecides, integers != nil, case .start = command.content {
                try require("a start was decided a second time")
            }
            return
        }
        guard let integers else { return try failed(command, index) }
        guard let reply = try? StoreReply(received(integers, command), to: command) else {
            return try require("a malformed reply")
        }
        replica.commands.remove(command.sequence)
        trace(7, Int64(index), command.sequence)
        let jitter = Double.random(in: 0..<1, using: &random)
        let verdict = replica.limits.answered(command, reply, jitter: jitter, at: replica.time(at: now))
        if let report = replica.observed.takeReport(of: command.sequence) {
            try require(checks.counted(report, replica))
            replica.observed.counts(replica.limits.health.replicas, after: report)
        }
        if let verdict { try verdictCame(verdict, command, index) }
        replica.observed.noted(replica.limits.health, at: now)
        if case .shares(let requests) = command.content {
            for (number, request) in requests.enumerated() {
                noteCredit(integers[2 * number + 4], request.key, replica)
            }
            for client in 0..<scenario.clients {
                if replica.drawers[client] != nil { try noteShare(client, replica, at: replica.time(at: now)) }
                try require(checks.leases(client, replicas, at: now))
            }
        }
        plan(index)
    }

    /// The reply as a replica with the planted fault reads it.
    private func received(_ integers: [Int64], _ command: StoreCommand) -> [Int64] {
        switch (fault, command.content) {
        case (.shareNotLowered, .shares(let requests)):
            integers.prefix(3)
                + requests.indices.flatMap { [max(integers[2 * $0 + 3], requests[$0].held), integers[2 * $0 + 4]] }
        case (.wholeLimitAlone, _) where command.isHeartbeat: integers.prefix(2) + [0]
        case (.lossNotNoticed, _): [integers[0], 0] + integers.dropFirst(2)
        default: integers
        }
    }

    /// The store has counted the replicas for one of them.
    private func noteReport(_ sequence: Int64, _ replica: Replica, at time: Int64) {
        let observed = replica.observed
        let others = replicas.count {
            guard let other = $0, other !== replica else { return false }
            return observed.known.contains(other.name) && other.observed.isRegistered(at: now)
        }
        replica.observed.willBeReported(
            Replica.Observed.Report(sequence: sequence, names: store.replicas(at: time), fewest: others + 1))
    }

    private mutating func verdictCame(
        _ verdict: SharedVerdict, _ command: StoreCommand, _ index: Int
    ) throws(Violation) {
        guard let client = replicas[index]?.starts.removeValue(forKey: command.sequence) else {
            return try require("a start was decided a second time")
        }
        try decided(verdict, client, index, sequence: command.sequence)
    }

    private mutating func failed(_ command: StoreCommand, _ index: Int) throws(Violation) {
        guard let replica = replicas[index] else { return }
        replica.commands.remove(command.sequence)
        trace(8, Int64(index), command.sequence)
        let jitter = Double.random(in: 0..<1, using: &random)
        let verdict = replica.limits.failed(command, jitter: jitter, at: replica.time(at: now))
        replica.observed.noted(replica.limits.health, at: now)
        if let verdict { try verdictCame(verdict, command, index) }
        plan(index)
    }

    /// No answer in time: the replica continues without it, over a new connection.
    mutating func deadline(
        _ index: Int, _ process: Int, _ command: StoreCommand, _ sentAt: Int64
    ) throws(Violation) {
        guard processes[index] == process, let replica = replicas[index],
            replica.commands.contains(command.sequence)
        else { return }
        replica.connection += 1
        replica.lastSent = 0
        replica.lastReceived = 0
        try failed(command, index)
    }

    // MARK: Store

    mutating func atStore(
        _ event: Event, _ index: Int, _ process: Int, _ connection: Int, _ command: StoreCommand
    ) throws(Violation) {
        guard !disturbances.contains(where: isDown) else { return }
        guard !disturbances.contains(.storeStopped) else { return stopped.append(event) }
        // A process that has ended, or a connection that was closed: what it has sent arrives all the same.
        let replica = processes[index] == process ? replicas[index] : nil
        let time = storeTime(of: replica)
        if case .shares(let requests) = command.content {
            for request in requests {
                credits.fill(request, leased: store.leased(of: request.key, at: time), at: time)
            }
        }
        let integers = store.run(command, of: replica?.name ?? Self.name(index, process), at: time)
        trace(9, Int64(index), integers.last ?? 0)
        try account(command, integers, replica, at: time)
        replica?.observed.written(command, integers, at: now)
        if let replica, command.isHeartbeat { noteReport(command.sequence, replica, at: time) }
        publish(store.announcements)
        guard let replica, replica.connection == connection, !replica.isPartitioned else { return }
        let arrival = max(replica.lastReceived, now + delay())
        replica.lastReceived = arrival
        queue.add(
            .atReplica(replica: index, process: process, connection: connection, command, integers), at: arrival)
    }

    /// Computes a second time what the store has decided.
    private mutating func account(
        _ command: StoreCommand, _ integers: [Int64], _ replica: Replica?, at time: Int64
    ) throws(Violation) {
        switch command.content {
        case .start(let limits, let counts):
            guard let client = checks.client(of: limits) else { return }
            let isAdmitted = integers[2] == 1
            let isPart = integers[0] - integers[1] < ReplicaTimes.grace.microseconds
            if isAdmitted, isPart { try require(checks.admittedByYoungStore(command, limits, counts)) }
            if isAdmitted { replica?.observed.granted[command.sequence] = isPart }
            try require(
                ledger.decided(admitted: isAdmitted, byRate: integers[3] == 3, client: client, at: time))
        case .refund(let limits):
            if let key = limits.first?.key, let client = checks.starts.firstIndex(of: key) { ledger.refunded(client) }
        case .shares(let requests):
            for (number, request) in requests.enumerated() {
                try require(credits.granted(integers[2 * number + 4], request))
            }
        case .counts, .open, .repeatOpenings: break
        }
    }
}
