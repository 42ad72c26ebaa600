/// The pace and the buffer of a stream whose client may change them: the granted terms, and the feedback since.
///
/// 1. The pace is never above the route's maximum, and never faster than the processing time that the client reports.
/// 2. The buffer is never above the route's maximum.
/// 3. A value that a feedback does not contain stays unchanged; the last value counts.
///
/// `EffectiveTermsTests` checks them by events, `EffectiveTermsModelTests` against a plain model. Pauses and credit are
/// in ``Pacer``.
package struct EffectiveTerms: Equatable, Sendable {
    /// The terms that were granted before the stream began.
    package let granted: Terms
    private var maximumPace: Pace
    /// The largest buffer that the route grants to any client.
    package private(set) var maximumBuffer: Int
    /// `nil` while the granted pace applies.
    private var rate: Rate?
    /// 1/processingDelay; unlimited while the client has reported none.
    private var processingPace = Pace.unlimited
    private var bufferSize: Int?

    /// The granted terms, within the maxima of a policy, before any feedback.
    package init(granted: Terms, policy: Policy) {
        self.granted = granted
        maximumPace = policy.maximumPace
        maximumBuffer = policy.maximumBuffer
    }

    /// Applies a feedback; the result is in ``terms``.
    package mutating func received(_ feedback: Feedback) {
        switch feedback.rate {
        case .limited(let wanted): rate = wanted
        case .unlimited: rate = nil
        case nil: break
        }
        if let delay = feedback.processingDelay {
            processingPace = Rate(oneEvery: delay).map(Pace.limited) ?? .unlimited
        }
        if let wanted = feedback.bufferSize { bufferSize = wanted }
    }

    /// Applies other maxima from now on, to the granted terms and to earlier feedback as well.
    package mutating func limit(by policy: Policy) {
        maximumPace = policy.maximumPace
        maximumBuffer = policy.maximumBuffer
    }

    /// The terms that apply now.
    ///
    /// A pace that the client sets may be above the granted one, up to the route's maximum. Of equal paces the granted
    /// or set one is reported, as it was written.
    package var terms: Terms {
        var terms = granted
        if let rate { terms.pace = .limited(rate) }
        terms.pace = min(terms.pace, maximumPace, processingPace)
        terms.buffer = min(bufferSize ?? terms.buffer, maximumBuffer)
        return terms
    }
}
