import Planning

/// What happens to the fleet's surroundings.
extension Simulation {
    mutating func disturb() {
        guard isDisturbed else { return }
        queue.add(.disturb, at: pause(scenario.disturbancePause))
        let index = Int.random(in: 0..<replicas.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0, 1: kill(index)
        case 2: begin(.partition(replica: index), mean: 8e9)
        case 3: begin(.slowNetwork, mean: 1e9)
        case 4: begin(.storeDown(loses: false), mean: 2e9)
        case 5: begin(.storeDown(loses: true), mean: 1e9)
        default: begin(.storeStopped, mean: 5e8)
        }
    }

    private mutating func kill(_ index: Int) {
        trace(10, Int64(index))
        replicas[index] = nil
        queue.add(.restart(replica: index), at: pause(3e9))
    }

    private mutating func begin(_ disturbance: Disturbance, mean: Double) {
        guard !disturbances.contains(disturbance) else { return }
        disturbances.append(disturbance)
        switch disturbance {
        case .partition(let index):
            replicas[index]?.isPartitioned = true
            unsubscribe(index)
        case .storeDown: for index in replicas.indices { unsubscribe(index) }
        case .slowNetwork, .storeStopped: break
        }
        queue.add(.heal(disturbance), at: pause(mean))
        trace(11)
    }

    mutating func heal(_ disturbance: Disturbance) throws(Violation) {
        guard let place = disturbances.firstIndex(of: disturbance) else { return }
        disturbances.remove(at: place)
        trace(12)
        switch disturbance {
        case .partition(let index):
            replicas[index]?.isPartitioned = false
            subscribe(index)
        case .slowNetwork: break
        case .storeDown(let loses):
            for index in replicas.indices { subscribe(index) }
            guard loses else { return }
            store.clear()
            ledger.clear()
            credits = CreditLedger()
        case .storeStopped:
            let waiting = stopped
            stopped = []
            for event in waiting {
                guard case .atStore(let index, let process, let connection, let command) = event else { continue }
                try atStore(event, index, process, connection, command)
            }
        }
    }
}
