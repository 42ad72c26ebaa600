#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes in, in order; bytes out, in order; one contiguous piece of memory that is given back when it runs empty.
///
/// Contiguous, because records are found by scanning; given back, because ten thousand idle streams must not each keep
/// the memory of their busiest moment. Appending is amortised O(bytes), taking is O(1). Beyond 16 KiB it grows by as much
/// as is needed, or by a quarter where that is more, so that a full queue takes little more memory than its bytes.
struct ByteQueue: ~Copyable {
    private var storage: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private var head = 0
    private(set) var count = 0

    private static let smallestCapacity = 512
    /// Up to this capacity the queue grows by doubling.
    private static let largestDoubled = 16 << 10
    private static let page = 4 << 10

    init() {}

    deinit { free(storage) }

    /// The bytes that are queued; valid until the next call that changes the queue.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.map { UnsafeRawPointer($0 + head) }, count: count)
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress, more.count > 0 else { return }
        let target = reserve(more.count)
        memcpy(target + head + count, source, more.count)
        count += more.count
    }

    /// Puts bytes in front of the first one; O(bytes), and O(count) where there is no room in front.
    mutating func prepend(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress, more.count > 0 else { return }
        if head < more.count {
            let target = reserve(more.count)
            memmove(target + more.count, target + head, count)
            head = more.count
        }
        guard let storage else { preconditionFailure("room that was reserved is there") }
        head -= more.count
        memcpy(storage + head, source, more.count)
        count += more.count
    }

    /// Moves bytes towards the front, over others that are no longer wanted; both ranges may overlap.
    mutating func move(_ range: Range<Int>, to place: Int) {
        precondition(place >= 0 && place <= range.lowerBound && range.upperBound <= count, "a move within the queue")
        guard let storage, place < range.lowerBound else { return }
        memmove(storage + head + place, storage + head + range.lowerBound, range.count)
    }

    mutating func removeFirst(_ taken: Int) {
        precondition(taken <= count, "more bytes taken than are queued")
        head += taken
        count -= taken
        if count == 0 { return release() }
        // One large record must not leave its memory to the small ones after it.
        if capacity > 4 * max(count, Self.largestDoubled) { _ = reallocate(Self.capacity(from: 0, for: count)) }
    }

    mutating func removeLast(_ dropped: Int) {
        precondition(dropped <= count, "more bytes dropped than are queued")
        count -= dropped
        if count == 0 { release() }
    }

    mutating func removeAll() {
        count = 0
        release()
    }

    private mutating func release() {
        free(storage)
        (storage, capacity, head) = (nil, 0, 0)
    }

    /// Makes room for a number of bytes after the last one: by moving to the front where all that is held fits there, else by
    /// growing.
    ///
    /// So no byte is moved more than once for each that was taken.
    private mutating func reserve(_ more: Int) -> UnsafeMutableRawPointer {
        let needed = count + more
        if let storage, head + needed <= capacity { return storage }
        if let storage, needed <= capacity, head >= count {
            memmove(storage, storage + head, count)
            head = 0
            return storage
        }
        return reallocate(Self.capacity(from: capacity, for: needed))
    }

    private static func capacity(from old: Int, for needed: Int) -> Int {
        guard needed > largestDoubled else {
            var capacity = max(old, smallestCapacity)
            while capacity < needed { capacity *= 2 }
            return capacity
        }
        return max(old + old / 4, (needed + page - 1) / page * page)
    }

    private mutating func reallocate(_ wanted: Int) -> UnsafeMutableRawPointer {
        // In place, where possible: large pieces move by their pages.
        let isResized = head == 0
        guard let moved = isResized ? realloc(storage, wanted) : malloc(wanted) else {
            preconditionFailure("out of memory for \(wanted) bytes of queue")
        }
        if !isResized {
            if let storage { memcpy(moved, storage + head, count) }
            free(storage)
        }
        (storage, capacity, head) = (moved, wanted, 0)
        return moved
    }
}
