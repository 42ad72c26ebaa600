/// What is lost when a record does not fit.
extension DroppingQueue {
    /// So many records are granted from now on; where more are queued, some go at once.
    package mutating func setRecordBound(_ records: Int) {
        bounds.records = max(1, records)
        dropBeyondBounds()
    }

    /// The front of the store's rest is a whole record of so many bytes.
    mutating func recordArrived(_ length: Int) {
        let number = arrived
        arrived += 1
        let key = keys?.key(of: UnsafeRawBufferPointer(rebasing: store.rest[..<length]))
        if let key { index.arrived(key, in: store.entries) }
        let size = store.blankBytes + length
        guard makeRoom(size) else {
            count(lost: 1, bytes: size)
            store.skip(length)
            return
        }
        store.keepRecord(length, number: number, key: key)
        if let key { index.queued(key, at: store.entries.endPlace - 1) }
        if keys != nil { index.prune(store.entries) }
        peak = max(peak, store.records)
    }

    /// The front of the store's rest is blank, so many bytes of it.
    mutating func blankArrived(_ length: Int) {
        let size = store.blankBytes + length
        guard size > bounds.bytes.bytes - store.recordBytes else { return store.keepBlank(length) }
        count(lost: 0, bytes: size)
        store.skip(length)
    }

    private func fits(_ size: Int) -> Bool {
        store.records == 0
            || (store.records < bounds.records && size <= bounds.bytes.bytes - store.recordBytes)
    }

    /// Drops what has to go for a new record of this size.
    ///
    /// - Returns: Whether it may be queued; else it is the one to go.
    private mutating func makeRoom(_ size: Int) -> Bool {
        if fits(size) { return true }
        switch overflow {
        case .dropNewest: return false
        case .latest where keys == nil: while store.records > 0 { dropOldest() }
        case .latest:
            dropSuperseded()
            while !fits(size) { dropOldest() }
        case .dropOldest, .pause, .disconnect: while !fits(size) { dropOldest() }
        }
        return true
    }

    private var isBeyondBounds: Bool {
        store.records > 1 && (store.records > bounds.records || store.recordBytes > bounds.bytes.bytes)
    }

    /// Drops what no longer fits; one record always does.
    mutating func dropBeyondBounds() {
        guard isBeyondBounds else { return }
        switch overflow {
        case .dropNewest: dropNewest()
        case .latest where keys == nil: while store.records > 1 { dropOldest() }
        case .latest:
            dropSuperseded()
            while isBeyondBounds { dropOldest() }
        case .dropOldest, .pause, .disconnect: while isBeyondBounds { dropOldest() }
        }
    }

    private mutating func dropOldest() {
        count(lost: 1, bytes: store.entries.first?.bytes ?? 0)
        store.removeOldest()
    }

    private mutating func dropNewest() {
        var (records, bytes, place) = (store.records, store.recordBytes, store.entries.endPlace)
        while records > 1, records > bounds.records || bytes > bounds.bytes.bytes {
            place -= 1
            records -= 1
            bytes -= store.entries[place].bytes
        }
        let dropped = store.records - records
        count(lost: dropped, bytes: store.removeNewest(dropped))
    }

    /// Drops every record that a newer one of its key supersedes.
    ///
    /// - Complexity: O(those), and now and then O(all that is queued) to give their bytes back.
    private mutating func dropSuperseded() {
        while let place = index.nextSuperseded(in: store.entries) {
            count(lost: 1, bytes: store.entries[place].bytes)
            store.remove(at: place)
        }
        if store.goneBytes > bounds.bytes.bytes / 4 || store.goneRecords > store.records + 64 {
            store.compact()
            index.rebuild(store.entries)
        }
    }

    private mutating func count(lost records: Int, bytes: Int) {
        lost += records
        droppedBytes += bytes
    }
}
