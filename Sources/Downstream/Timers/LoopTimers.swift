package import Flow
package import NIOCore

/// The owner of a timer.
package protocol TimerTarget: AnyObject {
    /// The timer's instant has come; it is no longer set. On the loop.
    func timerFired(_ timer: LoopTimer, at now: Instant)
}

/// One timer of a stream or a connection; belongs to the loop whose ``LoopTimers`` set it.
///
/// Its target must be its only owner. So the timer ends with the target, and its end removes it from the heap: no order of
/// events fires it for a target that has ended, whether it was set before that or in the course of it. That is why the
/// reference to the target can be unowned. (A weak one costs the target a side table, and slows down every reference to it.)
package final class LoopTimer {
    /// In the heap of `timers`; meaningful while it is set.
    fileprivate var index = 0
    /// When it fires; meaningful while it is set.
    package fileprivate(set) var due = Instant.distantFuture
    /// Those in whose heap it is; `nil` while it is not set.
    fileprivate var timers: LoopTimers?
    fileprivate unowned let target: any TimerTarget

    package init(target: any TimerTarget) { self.target = target }

    deinit { timers?.targetEnded(self) }

    package var isSet: Bool { timers != nil }
}

/// All timers of one event loop, behind one timer of NIO.
///
/// A binary heap in which every timer has its index, so that a stream's end takes its timers out at once: entries left
/// to expire would let a client that connects and leaves at a slow rate grow the heap for an hour. Setting, moving and
/// cancelling are O(log n) without allocation.
///
/// Wake-ups fall on whole ticks of a millisecond: a thousand metered streams then share a thousand wake-ups a second
/// instead of having one each, and a record leaves at most one tick after it is due, never before.
package final class LoopTimers {
    package static let tick: Int64 = 1_000_000

    /// The reference is unmanaged, because a timer that ends must be able to: each is removed in the timer's `deinit`.
    private struct Entry {
        let due: Instant
        let timer: Unmanaged<LoopTimer>
    }

    private let eventLoop: any EventLoop
    private let clock: () -> Instant
    private var heap: [Entry] = []
    private var wakeUp = Instant.distantFuture

    /// Called after timers have fired together: the time to write what they caused.
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
        eventLoop.assertInEventLoop()
        cancel(timer)
    }

    /// Fires what is due, and schedules the next wake-up.
    fileprivate func wokeUp() {
        let now = clock()
        guard now >= wakeUp else { return }  // a wake-up that an earlier one has overtaken
        wakeUp = .distantPast  // what is set from here on is scheduled below
        while let first = heap.first, first.due <= now {
            let timer = first.timer.takeUnretainedValue(), target = timer.target
            cancel(timer)
            target.timerFired(timer, at: now)
        }
        turnEnded()
        wakeUp = .distantFuture
        schedule()
    }

    /// Sees to it that the loop wakes up on the first timer's tick, unless it will do so by then anyway.
    private func schedule() {
        guard let due = heap.first?.due, due < wakeUp, due.nanoseconds <= .max - Self.tick else { return }
        let next = Instant(nanoseconds: (due.nanoseconds + Self.tick - 1) / Self.tick * Self.tick)
        guard next < wakeUp else { return }
        wakeUp = next
        let delay = max(0, wakeUp.nanoseconds - clock().nanoseconds)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // Fails only on a loop that has been shut down: nobody waits there any more.
        _ = try? eventLoop.scheduleCallback(in: .nanoseconds(delay), handler: WakeUp(timers: bound))
    }

    // MARK: The heap

    /// Puts an entry at `start`, or where its instant belongs above that.
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

    /// Puts an entry at `start`, or where its instant belongs below that.
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
