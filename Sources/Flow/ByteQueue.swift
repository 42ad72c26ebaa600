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
/// the memory of their busiest moment. Appending is amortised O(bytes), taking is O(1).
struct ByteQueue: ~Copyable {
    private var storage: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private(set) var count = 0

    private static let smallestCapacity = 512

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
        if count == 0 { release() }
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

    /// Makes room for so many bytes behind the last one: by moving to the front where half is free, else by growing.
    private mutating func reserve(_ more: Int) -> UnsafeMutableRawPointer {
        if let storage, head + count + more <= capacity { return storage }
        if let storage, count + more <= capacity, head >= capacity / 2 {
            memmove(storage, storage + head, count)
            head = 0
            return storage
        }
        var wanted = max(capacity, Self.smallestCapacity)
        while wanted < count + more { wanted *= 2 }
        guard let grown = malloc(wanted) else { preconditionFailure("out of memory for \(wanted) bytes of queue") }
        if let storage { memcpy(grown, storage + head, count) }
        free(storage)
        (storage, capacity, head) = (grown, wanted, 0)
        return grown
    }
}
