/** What the owner of a note is called: null where they have no name, and where whoever asks may not know it. */
export const ownerName = `
  (select display_name from pie_schema.profiles where profiles.user_id = notes.owner_id) as owner_name`
