import Flow

/// The multi handles of one event loop, and which of them takes the next request to an origin.
struct MultiHandlePool {
    /// About 512 streams a handle at most; see ``MultiHandle``.
    private static let streamsPerHandle = 512, maximumHandles = 64
    private static let idleConnectionsPerHandle = 512

    /// The tags of handles that had a connection left over when a transfer ended; the last one is used first.
    ///
    /// A class: to change an array inside of a dictionary makes three allocations.
    private final class WarmHandles {
        var tags: [Int]

        init(_ tag: Int) { tags = [tag] }
    }

    private var handles: [MultiHandle] = []
    /// By origin.
    private var warm: [ObjectIdentifier: WarmHandles] = [:]
    /// Where the connections of an origin are that its requests share.
    private var shared: [ObjectIdentifier: MultiHandle] = [:]
    /// Those whose timer is due at once.
    private var due = WorkList<MultiHandle>()
    /// Those that libcurl was called for, and that may have finished transfers.
    private var touched = WorkList<MultiHandle>()

    subscript(tag: Int) -> MultiHandle { handles[tag] }

    /// Transfers that run, of all handles.
    var active: Int { handles.reduce(0) { $0 + $1.active } }

    var count: Int { handles.count }

    /// Of which it is known where their connections are.
    var originCount: Int { Set(warm.keys).union(shared.keys).count }

    /// When the first of the handles wants to be called; `nil` without handles.
    var earliestDeadline: Instant? { handles.map(\.deadline).min() }

    /// Chooses the handle that takes the next request.
    ///
    /// - Returns: It, and whether the request needs a connection of its own.
    /// - Throws: If libcurl has no memory for a handle.
    mutating func handle(
        for origin: Origin, delegate: any MultiHandleDelegate
    ) throws -> (MultiHandle, isFresh: Bool) {
        let key = ObjectIdentifier(origin)
        if !origin.speaksHTTP2 {
            if let tag = warm[key]?.tags.popLast() { return (handles[tag], false) }
            return (try leastLoaded(multiplexing: false, delegate: delegate), true)
        }
        if let handle = shared[key], handle.active < Self.streamsPerHandle { return (handle, false) }
        let handle = try leastLoaded(multiplexing: true, delegate: delegate)
        shared[key] = handle
        return (handle, false)
    }

    private mutating func leastLoaded(
        multiplexing: Bool, delegate: any MultiHandleDelegate
    ) throws -> MultiHandle {
        let fit = handles.lazy.filter { $0.multiplexes == multiplexing }
        if let handle = fit.last(where: { $0.active < Self.streamsPerHandle }) { return handle }
        if fit.count < Self.maximumHandles {
            let handle = try MultiHandle(
                tag: handles.count, multiplexes: multiplexing, maximumIdle: Self.idleConnectionsPerHandle,
                delegate: delegate)
            handles.append(handle)
            return handle
        }
        guard let handle = fit.min(by: { $0.active < $1.active }) else {
            preconditionFailure("there is a handle once the most of them have been made")
        }
        return handle
    }

    /// A transfer has ended well, and its handle has kept the connection to the origin.
    mutating func connectionLeftIdle(to origin: Origin, on handle: MultiHandle) {
        guard !handle.multiplexes else { return }
        if let known = warm[ObjectIdentifier(origin)] {
            known.tags.append(handle.tag)
        } else {
            warm[ObjectIdentifier(origin)] = WarmHandles(handle.tag)
        }
    }

    /// Forgets all other origins.
    mutating func keep(_ origins: some Sequence<Origin>) {
        let kept = Set(origins.map(ObjectIdentifier.init))
        warm = warm.filter { kept.contains($0.key) }
        shared = shared.filter { kept.contains($0.key) }
    }

    mutating func removeAll() {
        warm.removeAll()
        shared.removeAll()
        due.removeAll()
        touched.removeAll()
        handles.removeAll()
    }

    // MARK: What is to be done with them

    /// How many have a timer that is due at once; a handle may set it again when it is called for it.
    var timersDue: Int { due.count }

    /// Whether any may have finished transfers.
    var mayHaveFinished: Bool { !touched.isEmpty }

    /// The handle's timer is due at once.
    ///
    /// From now on the list is what it waits for: a deadline beside it, which has passed, would have NIO's timer run it again
    /// and again before NIO looks at its sockets, as long as libcurl asks for the next call at once.
    mutating func timerIsDue(of handle: MultiHandle) {
        handle.deadline = .distantFuture
        if !due.contains(handle) { due.append(handle) }
    }

    /// Finds the handles whose deadline has passed.
    mutating func timersAreDue(at now: Instant) {
        for handle in handles where handle.deadline <= now { due.append(handle) }
    }

    mutating func nextDue() -> MultiHandle? { due.next() }

    /// libcurl was called for the handle.
    mutating func wasTouched(_ handle: MultiHandle) {
        if handle.mayHaveFinished, !touched.contains(handle) { touched.append(handle) }
    }

    mutating func nextTouched() -> MultiHandle? { touched.next() }
}
