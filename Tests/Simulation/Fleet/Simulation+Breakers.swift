import Flow
import Planning

/// Breakers that open, and their announcements.
extension Simulation {
    /// A client's breaker opens.
    mutating func trip(_ client: Int) {
        guard isDisturbed else { return }
        queue.add(.trip(client: client), at: pause(4e9))
        openings[client] = open(
            checks.breakers[client], for: Int64.random(in: 1_000_000_000...20_000_000_000, using: &random))
    }

    /// A breaker opens at any replica that runs.
    @discardableResult
    mutating func open(_ key: BreakerKey, for time: Int64) -> Opening? {
        let running = replicas.indices.filter { replicas[$0] != nil }
        guard let index = running.randomElement(using: &random), let local = replicas[index]?.time(at: now) else {
            return nil
        }
        trace(13, Int64(index), time)
        let opening = Opening(key: key, replica: index, process: processes[index], end: now + time)
        replicas[index]?.limits.opened(key, for: .nanoseconds(time), at: local)
        plan(index)
        if !isDisturbed {
            queue.add(.checkOpening(opening), at: now + 100_000_000)
            queue.add(.checkOpening(opening), at: opening.end + 200_000_000)
        }
        return opening
    }

    // MARK: Announcements

    mutating func subscribe(_ index: Int) {
        guard let replica = replicas[index], !replica.isPartitioned, !disturbances.contains(where: isDown) else {
            return
        }
        queue.add(
            .subscribed(replica: index, process: processes[index], subscription: replica.subscription),
            at: now + Int64.random(in: 1_000_000...300_000_000, using: &random))
    }

    mutating func unsubscribe(_ index: Int) {
        replicas[index]?.isSubscribed = false
        replicas[index]?.subscription += 1
        replicas[index]?.lastMessage = 0
    }

    mutating func subscribed(_ index: Int, _ process: Int, _ subscription: Int) {
        guard processes[index] == process, replicas[index]?.subscription == subscription,
            replicas[index]?.isSubscribed == false
        else { return }
        replicas[index]?.isSubscribed = true
        if fault == .noRepetition { return }
        replicas[index]?.limits.hasSubscribed()
        plan(index)
    }

    mutating func publish(_ announcements: [BreakerNotice]) {
        for notice in announcements {
            for index in replicas.indices {
                guard let replica = replicas[index], replica.isSubscribed else { continue }
                if fault == .lostMessage, Int.random(in: 0..<8, using: &random) == 0 { continue }
                let arrival = max(replica.lastMessage, now + delay())
                replica.lastMessage = arrival
                queue.add(
                    .message(
                        replica: index, process: processes[index], subscription: replica.subscription, notice),
                    at: arrival)
            }
        }
    }

    mutating func received(_ notice: BreakerNotice, _ index: Int, _ process: Int, _ subscription: Int) {
        guard processes[index] == process, let replica = replicas[index], replica.subscription == subscription else {
            return
        }
        trace(14, Int64(index))
        replica.limits.received(notice, at: replica.time(at: now))
    }

    // MARK: Invariant 5

    /// Without disturbances, every replica knows the opening soon, and forgets it at its end.
    mutating func checkOpening(_ opening: Opening) throws(Violation) {
        for index in replicas.indices {
            guard let end = knownEnd(of: opening.key, index) else {
                if now < opening.end { try require("an open breaker is not known to all replicas") }
                continue
            }
            if now > opening.end { try require("a breaker is still open after its cooldown") }
            if abs(end - opening.end) > 60_000_000 { try require("a breaker is open for another time") }
        }
    }

    /// What the store keeps is known to all replicas, and what they have opened is in the store.
    ///
    /// Not in the last 1.2 s: a replica takes an opening that ends up to 0.9 s after its own for that one (``SharedBreakers``).
    mutating func checkKnownOpenings() throws(Violation) {
        let kept = Set(store.openings(at: storeTime(of: nil)).map(\.key))
        for (_, opening) in openings.sorted(by: { $0.key < $1.key }) where opening.end > now + 300_000_000 {
            guard kept.contains(opening.key) else {
                let isLost = opening.process == processes[opening.replica]
                try require(isLost ? "an open breaker is not in the store" : nil)
                continue
            }
            guard opening.end > now + 1_200_000_000 else { continue }
            for index in replicas.indices where knownEnd(of: opening.key, index) == nil {
                try require("a replica has missed an open breaker")
            }
        }
    }

    /// When a breaker that a replica knows to be open is half-open.
    private func knownEnd(of key: BreakerKey, _ index: Int) -> Int64? {
        guard let replica = replicas[index] else { return nil }
        return replica.limits.breakers.end(key, at: replica.time(at: now)).map { replica.moment(of: $0) }
    }
}
