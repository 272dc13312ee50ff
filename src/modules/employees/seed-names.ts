/** The names of the people in the sample data. */

// biome-ignore format: a list to read over, not one name per line
export const FIRST_NAMES = [
  'Mara', 'Jonas', 'Amina', 'Zoë', 'Henrik', 'Lucía', 'Tomás', 'Priya', 'Oskar', 'Leila', 'Yuki', 'Samir', 'Nadia',
  'Felix', 'Ingrid', 'Mateo', 'Chiara', 'Ravi', 'Elif', 'Viktor', 'Noémie', 'Ahmed', 'Greta', 'Kwame', 'Sofia',
  'Mikael', 'Hana', 'Luca', 'Teresa', 'Bilal', 'Anneke', 'Diego', 'Olga', 'Ines', 'Malik', 'Freya', 'Andrei', 'Mei',
  'Pablo', 'Sigrid', 'Omar', 'Renée', 'Joao', 'Katya', 'Emil', 'Fatima', 'Ivan', 'Rosa', 'Tariq', 'Linnea', 'Marco',
  'Aisha', 'Piotr', 'Clara', 'Hugo', 'Zainab', 'Lars', 'Beatriz', 'Idris', 'Selma', 'Theo', 'Noor', 'Jakub', 'Vera',
  'Arjun', 'Maite', 'Nils', 'Salma', 'Bruno', 'Astrid', 'Kenji', 'Paula', 'Youssef', 'Edith', 'Milan', 'Carmen', 'Otto',
  'Dalia', 'Rafael', 'Wanda',
];

// biome-ignore format: as above
export const LAST_NAMES = [
  'Lindqvist', 'Okafor', 'Moreau', 'Tanaka', 'Novak', 'Haddad', 'Keller', 'Rossi', 'Mensah', 'Ferreira', 'Johansson',
  "O'Neill", 'Petrov', 'Yilmaz', 'Dubois', 'Sharma', 'Kowalski', 'Nguyen', 'Hansen', 'García', 'Bauer', 'Suzuki', 'Diallo',
  'Romano', 'Virtanen', 'Costa', 'Ivanova', 'Meyer', 'Rahman', 'Larsen', 'Castillo', 'Weber', 'Kimura', 'Silva', 'Horvat',
  'Nielsen', 'Traoré', 'Fischer', 'Marino', 'Patel', 'Berg', 'Demir', 'Laurent', 'Sato', 'Popescu', 'Vargas', 'Schmid',
  'Abebe', 'Nowak', 'Jensen', 'Delgado', 'Khan', 'Vogel', 'Conti', 'Eriksen', 'Morales', 'Boateng', 'Lefèvre', 'Kaya',
  'Hofer', 'Santos', 'Mori', 'Dahl', 'Peeters', 'Raman', 'Zimmermann', 'Cruz', 'Bianchi', 'Olsen', 'Farah', 'Janssen',
  'Marques', 'Wójcik', 'Lang', 'Ito', 'Ortega', 'Brandt', 'Saidi', 'Korhonen', 'Fontaine', 'Mazur', 'Prieto', 'Hahn',
  'Osei', 'Visser', 'Nakamura', 'Reyes', 'Stein', 'Bello', 'Aalto',
];
