"""Client libraries and worker frameworks as ``redelivery verify`` runs them: one page of code each."""
