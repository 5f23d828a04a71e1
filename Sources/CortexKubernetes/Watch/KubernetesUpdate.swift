/// What a watch tells.
package enum KubernetesUpdate: Sendable {
    /// All that there is; what is not among it is gone.
    case all([KubernetesObject])
    /// New, or changed.
    case set(KubernetesObject)
    /// As it was last.
    case removed(KubernetesObject)
    /// The connection is gone, and is sought again: what is known stays, and may be old.
    case lost(String)
}
