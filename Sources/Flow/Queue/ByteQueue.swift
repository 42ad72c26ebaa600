#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A queue of bytes in one contiguous block of memory, which is freed when the queue becomes empty.
///
/// Contiguous, because records are found by scanning; freed, because ten thousand idle streams must not each keep the
/// memory of their busiest moment. Appending is amortised O(bytes), removing is O(1). Above 16 KiB it grows by the
/// needed size, or by a quarter if that is more, so that a full queue takes little more memory than its bytes, also
/// while bytes come and go.
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

    /// The queued bytes; valid until the next call that changes the queue.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.map { UnsafeRawPointer($0 + head) }, count: count)
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress, more.count > 0 else { return }
        let target = reserve(more.count)
        memcpy(target + head + count, source, more.count)
        count += more.count
    }

    /// Inserts bytes before the first one; O(bytes), and O(count) if there is no room before it.
    mutating func prepend(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress, more.count > 0 else { return }
        if head < more.count {
            let target = reserve(more.count)
            memmove(target + more.count, target + head, count)
            head = more.count
        }
        guard let storage else { preconditionFailure("no storage after a reservation") }
        head -= more.count
        memcpy(storage + head, source, more.count)
        count += more.count
    }

    /// Moves bytes towards the front, over others that are no longer needed; both ranges may overlap.
    mutating func move(_ range: Range<Int>, to offset: Int) {
        precondition(offset >= 0 && offset <= range.lowerBound && range.upperBound <= count, "a move within the queue")
        guard let storage, offset < range.lowerBound else { return }
        memmove(storage + head + offset, storage + head + range.lowerBound, range.count)
    }

    mutating func removeFirst(_ removed: Int) {
        precondition(removed <= count, "more bytes removed than are queued")
        head += removed
        count -= removed
        if count == 0 { return release() }
        // One large record must not leave its memory to the small ones after it.
        if capacity > 4 * max(count, Self.largestDoubled) { _ = reallocate(Self.capacity(above: 0, for: count)) }
    }

    mutating func removeLast(_ removed: Int) {
        precondition(removed <= count, "more bytes removed than are queued")
        count -= removed
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

    /// Makes room for a number of bytes after the last one: by moving the queue to the front if a fifth of its bytes
    /// were removed there, else by growing.
    ///
    /// So no byte is moved more than five times for each byte that was removed, and a queue that remains full needs a
    /// quarter more memory than its bytes.
    private mutating func reserve(_ more: Int) -> UnsafeMutableRawPointer {
        let needed = count + more
        if let storage, head + needed <= capacity { return storage }
        if let storage, needed <= capacity, head >= count / 5 {
            memmove(storage, storage + head, count)
            head = 0
            return storage
        }
        return reallocate(Self.capacity(above: capacity, for: needed))
    }

    /// The next capacity: it is larger than the old one, even if the bytes would fit.
    private static func capacity(above old: Int, for needed: Int) -> Int {
        let wanted = max(needed, old + old / 4)
        guard wanted > largestDoubled else {
            var capacity = smallestCapacity
            while capacity < wanted { capacity *= 2 }
            return capacity
        }
        return (wanted + page - 1) / page * page
    }

    private mutating func reallocate(_ wanted: Int) -> UnsafeMutableRawPointer {
        // In place if possible: large blocks are moved by their pages.
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
