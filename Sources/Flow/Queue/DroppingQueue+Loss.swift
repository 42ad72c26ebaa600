/// Drops records that do not fit.
extension DroppingQueue {
    /// Sets the granted number of records; if more are queued, some are dropped at once.
    package mutating func setRecordBound(_ records: Int) {
        bounds.records = max(1, records)
        dropBeyondBounds()
    }

    /// The front of the store's rest is a whole record of this length.
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
        if let key { index.queued(key, at: store.entries.endPosition - 1) }
        if keys != nil { index.prune(store.entries) }
        peak = max(peak, store.records)
    }

    /// The front of the store's rest is blank, of this length.
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

    /// The remaining bytes of the bound; negative if one record alone exceeds it.
    private var byteRoom: Int { bounds.bytes.bytes - pendingBytes - store.recordBytes }

    /// Drops the records that a new one of this size replaces.
    ///
    /// - Returns: Whether the new one may be queued; else it is the one to drop.
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

    /// Drops records that no longer fit; one record always fits.
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
        var (records, bytes, position) = (store.records, store.recordBytes, store.entries.endPosition)
        while records > 1, records > bounds.records || bytes > bounds.bytes.bytes {
            position -= 1
            records -= 1
            bytes -= store.entries[position].bytes
        }
        let dropped = store.records - records
        count(lost: dropped, bytes: store.removeNewest(dropped))
    }

    /// Drops the queued record that a new one of this key supersedes; without keys, all queued records.
    ///
    /// A record that has no key supersedes none.
    private mutating func dropSuperseded(by key: RecordKey?) {
        guard keys != nil else {
            while store.records > 0 { dropOldest() }
            return
        }
        guard let key, let position = index.position(of: key, in: store.entries) else { return }
        drop(at: position)
        compactIfNeeded()
    }

    /// Drops the returned records that a newer one supersedes.
    mutating func dropSuperseded() {
        guard keys != nil else {
            while store.records > 1 { dropOldest() }
            return
        }
        for position in index.rebuild(store.entries) { drop(at: position) }
        compactIfNeeded()
    }

    private mutating func drop(at position: Int) {
        count(lost: 1, bytes: store.entries[position].bytes)
        store.remove(at: position)
    }

    /// Frees the bytes of dropped records if there are many.
    ///
    /// - Complexity: O(all buffered bytes), amortised O(1) for each record dropped.
    private mutating func compactIfNeeded() {
        guard store.removedBytes > bounds.bytes.bytes / 4 || store.removedRecords > store.records + 64 else { return }
        store.compact()
        index.rebuild(store.entries)
    }

    private mutating func count(lost records: Int, bytes: Int) {
        lost += records
        droppedBytes += bytes
    }
}
