extension Policy {
    /// The terms of a client: the smaller of its preference and the route's maximum, or the default without a
    /// preference.
    ///
    /// A granted preference is reported as the client wrote it, in the unit's long form; otherwise the value is
    /// reported as the route's configuration writes it.
    ///
    /// - Throws: ``NegotiationError/aboveMaximum(header:maximum:)`` if the route rejects preferences above the maximum.
    package func terms(for preferences: StreamPreferences) throws(NegotiationError) -> Terms {
        Terms(
            pace: try granted(
                preferences.rate.map(Pace.limited), default: defaultPace, maximum: maximumPace,
                header: StreamPreferences.rateLimitHeader,
                text: \.text),
            burst: burst,
            buffer: try granted(
                preferences.buffer, default: defaultBuffer, maximum: maximumBuffer,
                header: StreamPreferences.bufferSizeHeader,
                text: \.description),
            maximumBytes: maximumBytes,
            maximumRecordBytes: maximumRecordBytes
        )
    }

    private func granted<Quantity: Comparable>(
        _ requested: Quantity?, default: Quantity, maximum: Quantity, header: String, text: (Quantity) -> String
    ) throws(NegotiationError) -> Quantity {
        guard let requested else { return `default` }
        if requested <= maximum { return requested }
        guard overLimit == .clamp else { throw .aboveMaximum(header: header, maximum: text(maximum)) }
        return maximum
    }
}
