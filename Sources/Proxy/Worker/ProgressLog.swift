import Downstream
import Flow
import Observability

/// Writes a progress line for each stream of a loop that has run for an interval, in each interval.
///
/// One timer per loop, and none without streams. It visits one slot of a wheel at a time, and every slot once per
/// interval: ten thousand streams are 79 lines in each of 128 steps, not ten thousand lines at once.
final class ProgressLog: TimerTarget {
    private let timers: LoopTimers
    private let clock: () -> Instant
    private let interval: Duration
    private var wheel = SlotWheel<Stream>()
    private lazy var timer = LoopTimer(target: self)

    init(timers: LoopTimers, clock: @escaping () -> Instant, every interval: Duration) {
        (self.timers, self.clock, self.interval) = (timers, clock, interval)
    }

    private var step: Duration { interval / SlotWheel<Stream>.slots }

    func add(_ stream: Stream) {
        wheel.add(stream)
        if !timer.isSet { timers.set(timer, at: clock() + step) }
    }

    func remove(_ stream: Stream) {
        wheel.remove(stream)
        if wheel.isEmpty { timers.cancel(timer) }
    }

    func timerFired(_ timer: LoopTimer, at now: Instant) {
        for stream in wheel.turn() where now - stream.began >= interval { stream.logProgress(at: now) }
        // From when it was due, so that the rounds do not drift; a loop that was blocked does not catch up.
        if !wheel.isEmpty { timers.set(timer, at: max(timer.due + step, now)) }
    }
}

/// Objects on a wheel of slots: each turn yields those of the next slot, so that a round yields every object once.
///
/// The slot of an object is a hash of its address, so that objects that are added together are spread.
struct SlotWheel<Element: AnyObject> {
    static var slots: Int { 128 }

    private var members = [[ObjectIdentifier: Element]](repeating: [:], count: Self.slots)
    private var count = 0
    private var next = 0

    var isEmpty: Bool { count == 0 }

    mutating func add(_ element: Element) {
        let id = ObjectIdentifier(element)
        if members[Self.slot(of: id)].updateValue(element, forKey: id) == nil { count += 1 }
    }

    mutating func remove(_ element: Element) {
        let id = ObjectIdentifier(element)
        if members[Self.slot(of: id)].removeValue(forKey: id) != nil { count -= 1 }
    }

    mutating func turn() -> [Element] {
        defer { next = (next + 1) % Self.slots }
        return Array(members[next].values)
    }

    /// The upper bits of a multiplicative hash: addresses differ only in their middle bits.
    private static func slot(of id: ObjectIdentifier) -> Int {
        Int(truncatingIfNeeded: (UInt64(UInt(bitPattern: id)) &* 0x9E37_79B9_7F4A_7C15) >> 57)
    }
}
