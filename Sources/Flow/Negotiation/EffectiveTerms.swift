/// The pace and the buffer of a stream whose client may change its mind: the granted terms, and what was said since.
///
/// 1. The pace is never above the route's maximum, and never faster than the client says that it works.
/// 2. The buffer is never above the route's maximum.
/// 3. What a feedback does not speak of stays as it was; the last word counts.
///
/// `EffectiveTermsTests` checks them by events, `WishModelTests` against a plain model. Pauses and credit are the stream's own.
package struct EffectiveTerms: Equatable, Sendable {
    /// What the client was granted before its stream began.
    package let granted: Terms
    private var maximumPace: Pace
    private var maximumBuffer: Int
    /// `nil` while the granted pace counts.
    private var rate: Rate?
    /// 1/processingDelay; unlimited while the client has named none.
    private var digestion = Pace.unlimited
    private var bufferSize: Int?

    package init(granted: Terms, policy: Policy) {
        self.granted = granted
        maximumPace = policy.maximumPace
        maximumBuffer = policy.maximumBuffer
    }

    /// Takes in what the client says; the result is in ``terms``.
    package mutating func received(_ feedback: Feedback) {
        switch feedback.rate {
        case .limited(let wanted): rate = wanted
        case .unlimited: rate = nil
        case nil: break
        }
        if let delay = feedback.processingDelay {
            digestion = Rate(oneEvery: delay).map(Pace.limited) ?? .unlimited
        }
        if let wanted = feedback.bufferSize { bufferSize = wanted }
    }

    /// Other maxima count from now on, for what was granted and said already as well.
    package mutating func limit(by policy: Policy) {
        maximumPace = policy.maximumPace
        maximumBuffer = policy.maximumBuffer
    }

    /// The terms that count now.
    ///
    /// A pace that the client named may be above the one that it was granted, up to the route's maximum. Of equal paces
    /// the granted or named one is told back, as it was written.
    package var terms: Terms {
        var terms = granted
        if let rate { terms.pace = .limited(rate) }
        terms.pace = min(terms.pace, maximumPace, digestion)
        terms.buffer = min(bufferSize ?? terms.buffer, maximumBuffer)
        return terms
    }
}
