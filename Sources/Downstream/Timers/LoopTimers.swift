package import Flow
package import NIOCore

/// The owner of a timer.
package protocol TimerTarget: AnyObject {
    /// The timer has fired; it is no longer set. On the loop.
    func timerFired(_ timer: LoopTimer, at now: Instant)
}

/// One timer of a stream or a connection; belongs to the loop whose ``LoopTimers`` set it.
///
/// Its target must be its only owner. So the timer ends with the target, and its `deinit` removes it from the heap: no order of
/// events fires it for a target that has ended, whether it was set before that or during it. Therefore the reference to the
/// target can be unowned. (A weak one costs the target a side table, and slows down every reference to it.) A target that may
/// be released last on another loop cancels its timers at its end.
package final class LoopTimer {
    /// In the heap of `timers`; meaningful while it is set.
    fileprivate var index = 0
    /// When it fires; meaningful while it is set.
    package fileprivate(set) var due = Instant.distantFuture
    /// The timers whose heap it is in; `nil` while it is not set.
    fileprivate var timers: LoopTimers?
    fileprivate unowned let target: any TimerTarget

    package init(target: any TimerTarget) { self.target = target }

    deinit { timers?.targetEnded(self) }

    package var isSet: Bool { timers != nil }
}

/// All timers of one event loop, over one timer of NIO.
///
/// A binary heap in which every timer has its index, so that the end of a stream removes its timers at once: with entries that
/// remain until they expire, a client that connects and disconnects slowly would grow the heap for an hour. Setting, moving and
/// cancelling are O(log n) without allocation.
///
/// Wake-ups are on whole ticks of a millisecond: a thousand metered streams then share a thousand wake-ups a second instead of
/// having one each, and a record is sent at most one tick after it is due, never before.
package final class LoopTimers {
    package static let tick: Int64 = 1_000_000

    /// The reference is unmanaged, because a strong one would keep the timer alive: its `deinit` removes the entry.
    private struct Entry {
        let due: Instant
        let timer: Unmanaged<LoopTimer>
    }

    private let eventLoop: any EventLoop
    private let clock: () -> Instant
    private var heap: [Entry] = []
    private var wakeUp = Instant.distantFuture

    /// Called after timers have fired together, to send what they caused to be written.
    package var turnEnded: () -> Void = {}

    package init(on eventLoop: any EventLoop, clock: @escaping () -> Instant) {
        self.eventLoop = eventLoop
        self.clock = clock
    }

    package var count: Int { heap.count }

    /// Sets or moves a timer; `distantFuture` cancels it.
    package func set(_ timer: LoopTimer, at due: Instant) {
        guard due != .distantFuture else { return cancel(timer) }
        timer.due = due
        let entry = Entry(due: due, timer: .passUnretained(timer))
        if timer.timers === self {
            siftUp(entry, from: timer.index)
            siftDown(entry, from: timer.index)
        } else {
            timer.timers?.cancel(timer)
            timer.timers = self
            heap.append(entry)
            siftUp(entry, from: heap.count - 1)
        }
        schedule()
    }

    /// Sets a timer unless it will fire by then anyway: one that fires early costs less than one that is moved often.
    package func advance(_ timer: LoopTimer, to due: Instant) {
        if !timer.isSet || timer.due > due { set(timer, at: due) }
    }

    package func cancel(_ timer: LoopTimer) {
        guard timer.timers === self else { return }
        timer.timers = nil
        let hole = timer.index, last = heap.removeLast()
        guard hole < heap.count else { return }
        siftUp(last, from: hole)
        siftDown(last, from: last.timer._withUnsafeGuaranteedRef(\.index))
    }

    /// A timer is deallocated while it is set.
    fileprivate func targetEnded(_ timer: LoopTimer) {
        // Anywhere else the heap would be changed by two threads.
        eventLoop.preconditionInEventLoop()
        cancel(timer)
    }

    /// Fires what is due, and schedules the next wake-up.
    fileprivate func wokeUp() {
        let now = clock()
        guard now >= wakeUp else { return }  // an earlier wake-up has fired in its place
        wakeUp = .distantPast  // timers that are set from here on are scheduled below
        while let first = heap.first, first.due <= now {
            let timer = first.timer.takeUnretainedValue(), target = timer.target
            cancel(timer)
            target.timerFired(timer, at: now)
        }
        turnEnded()
        wakeUp = .distantFuture
        schedule()
    }

    /// Schedules a wake-up on the first timer's tick, unless there is an earlier one.
    private func schedule() {
        guard let due = heap.first?.due, due < wakeUp, due.nanoseconds <= .max - Self.tick else { return }
        let next = Instant(nanoseconds: (due.nanoseconds + Self.tick - 1) / Self.tick * Self.tick)
        guard next < wakeUp else { return }
        wakeUp = next
        let delay = max(0, (wakeUp - clock()).nanoseconds)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // Fails only on a loop that has been shut down, where no stream is left.
        _ = try? eventLoop.scheduleCallback(in: .nanoseconds(delay), handler: WakeUp(timers: bound))
    }

    // MARK: The heap

    /// Puts an entry at `start`, or above that where its instant belongs.
    private func siftUp(_ entry: Entry, from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.due < heap[parent].due else { break }
            put(heap[parent], at: child)
            child = parent
        }
        put(entry, at: child)
    }

    /// Puts an entry at `start`, or below that where its instant belongs.
    private func siftDown(_ entry: Entry, from start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
            guard heap[child].due < entry.due else { break }
            put(heap[child], at: parent)
            parent = child
        }
        put(entry, at: parent)
    }

    private func put(_ entry: Entry, at index: Int) {
        heap[index] = entry
        entry.timer._withUnsafeGuaranteedRef { $0.index = index }
    }
}

private struct WakeUp: NIOScheduledCallbackHandler, Sendable {
    let timers: NIOLoopBound<LoopTimers>

    func handleScheduledCallback(eventLoop: some EventLoop) { timers.value.wokeUp() }
}
