"""Operations by what they are about, with the bodies they take and give."""
