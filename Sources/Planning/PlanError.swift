package import Flow

/// Why there is no plan.
package enum PlanError: Error, Equatable {
    /// The load has too many records for a computation that follows each of one client.
    case tooManyEvents
    /// The route rejects what the clients request.
    case refusedTerms(NegotiationError)
}
