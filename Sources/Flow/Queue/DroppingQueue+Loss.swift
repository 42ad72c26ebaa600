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
        if overflow == .latest { dropSuperseded(by: key) }
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
        guard size > byteRoom else { return store.keepBlank(length) }
        count(lost: 0, bytes: size)
        store.skip(length)
    }

    private func fits(_ size: Int) -> Bool {
        store.records == 0
            || (store.records < bounds.records && size <= byteRoom)
    }

    /// What the bound leaves for more bytes; below 0 where it was exceeded by a record that was alone.
    private var byteRoom: Int { bounds.bytes.bytes - pendingBytes - store.recordBytes }

    /// Drops what has to go for a new record of this size.
    ///
    /// - Returns: Whether it may be queued; else it is the one to go.
    private mutating func makeRoom(_ size: Int) -> Bool {
        if fits(size) { return true }
        switch overflow {
        case .dropNewest: return false
        case .dropOldest, .latest, .pause, .disconnect: while !fits(size) { dropOldest() }
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
        case .dropOldest, .latest, .pause, .disconnect: while isBeyondBounds { dropOldest() }
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

    /// Drops the queued record that a new one of this key supersedes; without keys, all that are queued.
    ///
    /// A record that has no key supersedes none.
    private mutating func dropSuperseded(by key: RecordKey?) {
        guard keys != nil else {
            while store.records > 0 { dropOldest() }
            return
        }
        guard let key, let place = index.place(of: key, in: store.entries) else { return }
        drop(at: place)
        compactIfNeeded()
    }

    /// Drops, of records that came back, those that a newer one supersedes.
    mutating func dropSuperseded() {
        guard keys != nil else {
            while store.records > 1 { dropOldest() }
            return
        }
        for place in index.rebuild(store.entries) { drop(at: place) }
        compactIfNeeded()
    }

    private mutating func drop(at place: Int) {
        count(lost: 1, bytes: store.entries[place].bytes)
        store.remove(at: place)
    }

    /// Gives back what dropped records have left behind, where that is much.
    ///
    /// - Complexity: O(all that is held), amortised O(1) for each record dropped.
    private mutating func compactIfNeeded() {
        guard store.goneBytes > bounds.bytes.bytes / 4 || store.goneRecords > store.records + 64 else { return }
        store.compact()
        index.rebuild(store.entries)
    }

    private mutating func count(lost records: Int, bytes: Int) {
        lost += records
        droppedBytes += bytes
    }
}
