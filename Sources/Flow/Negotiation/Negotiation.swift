extension Policy {
    /// What a client is granted: of what it asked and the route's maximum the smaller, or the default where it did not
    /// ask.
    ///
    /// What was granted as asked is told back as the client wrote it, in the unit's long form; what was not, as the
    /// route's configuration writes it.
    ///
    /// - Throws: ``NegotiationError/aboveMaximum(header:maximum:)`` where the route refuses to be asked for more.
    package func terms(for ask: StreamPreferences) throws(NegotiationError) -> Terms {
        Terms(
            pace: try granted(
                ask.rate.map(Pace.limited), default: defaultPace, maximum: maximumPace,
                header: StreamPreferences.rateLimitHeader,
                text: \.text),
            burst: burst,
            buffer: try granted(
                ask.buffer, default: defaultBuffer, maximum: maximumBuffer, header: StreamPreferences.bufferSizeHeader,
                text: \.description),
            maximumBytes: maximumBytes,
            maximumRecordBytes: maximumRecordBytes
        )
    }

    private func granted<Quantity: Comparable>(
        _ asked: Quantity?, default: Quantity, maximum: Quantity, header: String, text: (Quantity) -> String
    ) throws(NegotiationError) -> Quantity {
        guard let asked else { return `default` }
        if asked <= maximum { return asked }
        guard overLimit == .clamp else { throw .aboveMaximum(header: header, maximum: text(maximum)) }
        return maximum
    }
}
