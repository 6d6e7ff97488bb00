"""What the reconciliation pages show: every stated figure beside ours, and what makes each difference."""
